//! AWS's clock.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextRef, dyn_dispatch_hint},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

/// AWS's time, by the `Date` of its last answer. An operator's own clock can be minutes off, and a lease ends by AWS's.
///
/// It never runs ahead: an answer's date has no fractions of a second, and is as old as the answer was on its way.
#[derive(Debug, Clone, Default)]
pub(crate) struct AwsClock(Arc<Mutex<Option<Reading>>>);

/// A date, and when it arrived by the monotonic clock, which stands still while a machine sleeps.
#[derive(Debug, Clone, Copy)]
struct Reading {
    date: SystemTime,
    arrived: Instant,
}

impl AwsClock {
    /// The time; `None` before the first answer with a date.
    pub(crate) fn now(&self) -> Option<SystemTime> {
        let reading = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.map(|Reading { date, arrived }| date + arrived.elapsed())
    }

    fn set(&self, date: &str) {
        if let Ok(date) = httpdate::parse_http_date(date) {
            let reading = Reading { date, arrived: Instant::now() };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for AwsClock {
    fn name(&self) -> &'static str {
        "AwsClock"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.set(date);
        }
        Ok(())
    }
}
