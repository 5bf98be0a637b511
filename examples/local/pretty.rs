//! Indented JSON.

use serde_json::{Deserializer, Serializer};

/// The same JSON, one member per line, or the text itself if it is not JSON. No value is built, so members keep their
/// order and may repeat.
pub fn pretty(json: &str) -> String {
    let mut pretty = Vec::new();
    let mut read = Deserializer::from_str(json);
    let written = serde_transcode::transcode(&mut read, &mut Serializer::pretty(&mut pretty));
    written.ok().and_then(|()| String::from_utf8(pretty).ok()).unwrap_or_else(|| json.to_owned())
}
