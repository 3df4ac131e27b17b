//! The relational part of usage: identities joined with their sign-ins and their days.

use polars::prelude::*;

use super::{Input, UsageError, UsageSummary, days};
use crate::period::BillingPeriod;
use crate::rollup::MonthlyActivity;
use crate::schema::{
    ACTIVE_DAYS, ASSIGNED_DAYS, BILLABLE, CLASS, COVERED_DAYS, DAYS, ELIGIBLE_DAYS, IDENTITIES,
    IDENTITY, METER, SIGN_INS_BLOCKED, SIGN_INS_FAILED, SIGN_INS_OK, STREAM,
};

const COVERED: &str = "covered";
const ASSIGNED: &str = "assigned";
const ELIGIBLE: &str = "eligible";

/// What [`usage_frame`] joins.
pub struct Tables {
    /// [`IDENTITY`], [`STREAM`].
    pub identities: LazyFrame,
    /// [`STREAM`], [`SIGN_INS_OK`], [`SIGN_INS_FAILED`], [`SIGN_INS_BLOCKED`], [`ACTIVE_DAYS`].
    pub activity: LazyFrame,
    /// [`STREAM`], [`METER`], [`DAYS`].
    pub days: LazyFrame,
}

impl Tables {
    /// The tables of a month.
    pub(crate) fn of(
        inputs: &[Input<'_>],
        activity: &MonthlyActivity,
        period: BillingPeriod,
    ) -> Result<Self, UsageError> {
        let streams: Vec<u32> = inputs.iter().map(|one| one.subject.stream_no).collect();
        let numbers: Vec<u32> = (0_u32..).take(streams.len()).collect();
        let identities = df!(IDENTITY => numbers, STREAM => streams)?;
        let mut meters: (Vec<u32>, Vec<&str>, Vec<u32>) = Default::default();
        for input in inputs {
            let demand = &input.demand;
            for (meter, mask) in [
                (COVERED, days(&demand.covered, period)),
                (ASSIGNED, days(&demand.assigned, period)),
                (ELIGIBLE, days(&demand.eligible, period)),
            ] {
                if mask != 0 {
                    meters.0.push(input.subject.stream_no);
                    meters.1.push(meter);
                    meters.2.push(mask.count_ones());
                }
            }
        }
        let days = df!(STREAM => meters.0, METER => meters.1, DAYS => meters.2)?;
        Ok(Self {
            identities: identities.lazy(),
            activity: cells(activity, period)?.lazy(),
            days: days.lazy(),
        })
    }
}

fn cells(activity: &MonthlyActivity, period: BillingPeriod) -> PolarsResult<DataFrame> {
    let cells: Vec<_> = activity
        .cells()
        .into_iter()
        .filter(|(_, cell)| cell.period == period)
        .collect();
    let column = |of: fn(&crate::rollup::Cell) -> u64| -> Vec<u64> {
        cells.iter().map(|(_, cell)| of(cell)).collect()
    };
    let streams: Vec<u32> = cells.iter().map(|(stream_no, _)| *stream_no).collect();
    let active: Vec<u32> = cells
        .iter()
        .map(|(_, cell)| cell.active_days.count_ones())
        .collect();
    df!(
        STREAM => streams,
        SIGN_INS_OK => column(|cell| cell.ok),
        SIGN_INS_FAILED => column(|cell| cell.failed),
        SIGN_INS_BLOCKED => column(|cell| cell.blocked),
        ACTIVE_DAYS => active,
    )
}

/// [`IDENTITY`] with its sign-ins, days by meter and whether it is [`BILLABLE`]; one row per
/// identity in order of [`IDENTITY`].
pub fn usage_frame(tables: Tables) -> LazyFrame {
    let of_meter = |meter: &'static str, name: &'static str| {
        when(col(METER).eq(lit(meter)))
            .then(col(DAYS))
            .otherwise(lit(0_u32))
            .sum()
            .alias(name)
    };
    let days = tables.days.group_by([col(STREAM)]).agg([
        of_meter(COVERED, COVERED_DAYS),
        of_meter(ASSIGNED, ASSIGNED_DAYS),
        of_meter(ELIGIBLE, ELIGIBLE_DAYS),
    ]);
    let activity = tables.activity.group_by([col(STREAM)]).agg([
        col(SIGN_INS_OK).sum(),
        col(SIGN_INS_FAILED).sum(),
        col(SIGN_INS_BLOCKED).sum(),
        col(ACTIVE_DAYS).sum(),
    ]);
    let count = |name: &str, of: DataType| col(name).fill_null(lit(0_u32)).cast(of);
    tables
        .identities
        .left_join(activity, col(STREAM), col(STREAM))
        .left_join(days, col(STREAM), col(STREAM))
        .select([
            col(IDENTITY),
            count(SIGN_INS_OK, DataType::UInt64),
            count(SIGN_INS_FAILED, DataType::UInt64),
            count(SIGN_INS_BLOCKED, DataType::UInt64),
            count(ACTIVE_DAYS, DataType::UInt32),
            count(COVERED_DAYS, DataType::UInt32),
            count(ASSIGNED_DAYS, DataType::UInt32),
            count(ELIGIBLE_DAYS, DataType::UInt32),
        ])
        .with_columns([col(COVERED_DAYS).gt(lit(0_u32)).alias(BILLABLE)])
        .sort([IDENTITY], SortMultipleOptions::default())
}

/// Usage by [`CLASS`]: [`IDENTITIES`], [`BILLABLE`], [`COVERED_DAYS`], [`SIGN_INS_OK`].
pub fn summary_frame(usage: LazyFrame) -> LazyFrame {
    usage
        .group_by([col(CLASS)])
        .agg([
            len().cast(DataType::UInt32).alias(IDENTITIES),
            col(BILLABLE).cast(DataType::UInt32).sum(),
            col(COVERED_DAYS).cast(DataType::UInt64).sum(),
            col(SIGN_INS_OK).sum(),
        ])
        .sort([CLASS], SortMultipleOptions::default())
}

/// One row of [`usage_frame`].
pub(crate) struct Measured {
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) blocked: u64,
    pub(crate) active: u32,
    pub(crate) covered: u32,
    pub(crate) assigned: u32,
    pub(crate) eligible: u32,
    pub(crate) billable: bool,
}

/// Runs the query; rows in order of [`IDENTITY`].
pub(crate) fn collect(tables: Tables) -> Result<Vec<Measured>, UsageError> {
    let frame = usage_frame(tables).collect()?;
    let wide = |name: &str| frame.column(name).and_then(|column| column.u64());
    let narrow = |name: &str| frame.column(name).and_then(|column| column.u32());
    let (ok, failed, blocked) = (
        wide(SIGN_INS_OK)?,
        wide(SIGN_INS_FAILED)?,
        wide(SIGN_INS_BLOCKED)?,
    );
    let (active, covered) = (narrow(ACTIVE_DAYS)?, narrow(COVERED_DAYS)?);
    let (assigned, eligible) = (narrow(ASSIGNED_DAYS)?, narrow(ELIGIBLE_DAYS)?);
    let billable = frame.column(BILLABLE)?.bool()?;
    Ok((0..frame.height())
        .map(|row| Measured {
            ok: ok.get(row).unwrap_or_default(),
            failed: failed.get(row).unwrap_or_default(),
            blocked: blocked.get(row).unwrap_or_default(),
            active: active.get(row).unwrap_or_default(),
            covered: covered.get(row).unwrap_or_default(),
            assigned: assigned.get(row).unwrap_or_default(),
            eligible: eligible.get(row).unwrap_or_default(),
            billable: billable.get(row).unwrap_or_default(),
        })
        .collect())
}

/// Runs the summary.
pub(crate) fn summarise(usage: &DataFrame) -> Result<Vec<UsageSummary>, UsageError> {
    let frame = summary_frame(usage.clone().lazy()).collect()?;
    let class = frame.column(CLASS)?.str()?;
    let identities = frame.column(IDENTITIES)?.u32()?;
    let billable = frame.column(BILLABLE)?.u32()?;
    let covered = frame.column(COVERED_DAYS)?.u64()?;
    let ok = frame.column(SIGN_INS_OK)?.u64()?;
    Ok((0..frame.height())
        .map(|row| UsageSummary {
            class: class.get(row).unwrap_or_default().to_owned(),
            identities: identities.get(row).unwrap_or_default(),
            billable: billable.get(row).unwrap_or_default(),
            covered_days: covered.get(row).unwrap_or_default(),
            sign_ins_ok: ok.get(row).unwrap_or_default(),
        })
        .collect())
}
