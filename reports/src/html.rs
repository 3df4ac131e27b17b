//! The health report as one HTML file.
//!
//! Pure: equal reports give equal bytes. The page carries everything it needs, asks nothing of the
//! network and works without scripts. The look is in `templates/`, the words and the order in
//! `view`.

use askama::Template;

use crate::health::HealthReport;
use crate::view::HealthView;

/// Why a report could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The template engine could not write the page.
    #[error("the template of the health check could not be filled")]
    Template(#[source] askama::Error),
}

/// The page: everything is decided in the view, the template only lays it out.
#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    view: HealthView,
}

/// Renders a report as one self-contained HTML page.
///
/// Every value that comes from a tenant is escaped, and characters that would change how the text
/// around them reads (controls, direction overrides, characters without width) are shown as
/// `‹U+202E›`. Long reports stay bounded; the page says what it leaves out.
///
/// # Errors
/// [`RenderError::Template`] when the template engine fails.
pub fn render(report: &HealthReport) -> Result<String, RenderError> {
    let page = HealthPage {
        view: HealthView::new(report),
    };
    page.render().map_err(RenderError::Template)
}
