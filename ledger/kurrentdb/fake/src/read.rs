//! `Read`: what a client asks for.

use std::sync::Arc;

use ledger_kurrentdb::wire::read::{
    AllFrom, BACKWARDS, ReadCount, ReadFilter, ReadOf, ReadOptions, ReadReq, StreamFrom, UuidForm,
};
use tonic::Status;

use crate::access::Right;
use crate::append::name;
use crate::fault::ReadFault;
use crate::filter::Filter;
use crate::node::Call;
use crate::page::{Cursor, From, Of};
use crate::reading::{Asked, Reading, Stop};
use crate::status;

impl Call {
    /// `Read`.
    pub(crate) async fn read(&self, request: ReadReq) -> Result<Reading, Status> {
        let mut asked = parse(request)?;
        let stream = match &asked.cursor.of {
            Of::Stream(name) => Arc::clone(name),
            Of::All => Arc::from("$all"),
        };
        self.may(Right::Read, &stream)?;
        match self.node().read_faults.strike() {
            Some(ReadFault::Unavailable) => return Err(status::not_ready()),
            Some(ReadFault::NotLeader(leader)) => {
                return Err(status::not_leader(leader.or(self.leader())));
            }
            Some(ReadFault::Delay(time)) => tokio::time::sleep(time).await,
            Some(ReadFault::CutAfter(events)) => asked.stop = Some((events, Stop::Cut)),
            Some(ReadFault::EndAfter(events)) => asked.stop = Some((events, Stop::End)),
            Some(ReadFault::Duplicate(events)) => asked.cursor.earlier = events,
            None => {}
        }
        if self.requires_leader() {
            self.leads()?;
        }
        Ok(self.reading(asked))
    }
}

fn parse(request: ReadReq) -> Result<Asked, Status> {
    let ReadOptions {
        of,
        read_direction,
        resolve_links: _,
        count,
        filter,
        uuid_option,
        control_option,
    } = request
        .options
        .ok_or_else(|| Status::invalid_argument("options are missing"))?;
    let backwards = match read_direction {
        0 => false,
        BACKWARDS => true,
        _ => return Err(Status::invalid_argument("the direction is unknown")),
    };
    let left = match count {
        Some(ReadCount::Count(count)) => Some(count),
        Some(ReadCount::Subscription(())) => None,
        None => return Err(Status::invalid_argument("the count is missing")),
    };
    let is_subscription = left.is_none();
    let uuid = uuid_option
        .ok_or_else(|| Status::invalid_argument("'uuidOption' is a required argument"))?;
    let filter = match filter {
        Some(ReadFilter::Filter(options)) => Some(Filter::parse(&options)?),
        Some(ReadFilter::NoFilter(())) => None,
        None => return Err(Status::invalid_argument("the filter is missing")),
    };
    let (of, from) = place(of, is_subscription)?;
    let is_all = of == Of::All;
    if (backwards && is_subscription) || (filter.is_some() && !is_all) {
        return Err(Status::invalid_argument("the combination is invalid"));
    }
    Ok(Asked {
        cursor: Cursor {
            of,
            backwards,
            from,
            earlier: 0,
        },
        left,
        filter,
        text: uuid.form == Some(UuidForm::Text(())),
        positions: !is_all && control_option.is_some_and(|control| control.compatibility >= 1),
        stop: None,
    })
}

/// What is read, and from where: a read begins there, a subscription behind it.
fn place(of: Option<ReadOf>, is_subscription: bool) -> Result<(Of, From), Status> {
    let at = |place| {
        if is_subscription {
            From::Behind(place)
        } else {
            From::At(place)
        }
    };
    match of {
        Some(ReadOf::Stream(stream)) => Ok((
            Of::Stream(Arc::from(name(stream.stream_identifier.as_ref())?)),
            match stream.from {
                Some(StreamFrom::Revision(revision)) => at(revision),
                Some(StreamFrom::Start(())) => From::Start,
                Some(StreamFrom::End(())) => From::End,
                None => return Err(Status::invalid_argument("the revision is missing")),
            },
        )),
        Some(ReadOf::All(all)) => Ok((
            Of::All,
            match all.from {
                Some(AllFrom::Position(position)) => at(position.commit),
                Some(AllFrom::Start(())) => From::Start,
                Some(AllFrom::End(())) => From::End,
                None => return Err(Status::invalid_argument("the position is missing")),
            },
        )),
        None => Err(Status::invalid_argument("what is read is missing")),
    }
}
