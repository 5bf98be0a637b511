//! YAML that keeps the order of its members.

use saphyr::{LoadableYamlNode, Scalar, Yaml, YamlEmitter};
use serde_json::Value;

/// A part of the description.
pub type Node = Yaml<'static>;

/// What can be a value in [`map!`].
pub trait IntoNode {
    fn into_node(self) -> Node;
}

impl IntoNode for Node {
    fn into_node(self) -> Node {
        self
    }
}

impl IntoNode for &str {
    fn into_node(self) -> Node {
        self.to_owned().into_node()
    }
}

impl IntoNode for String {
    fn into_node(self) -> Node {
        Yaml::Value(Scalar::String(self.into()))
    }
}

impl IntoNode for bool {
    fn into_node(self) -> Node {
        Yaml::Value(Scalar::Boolean(self))
    }
}

impl IntoNode for i64 {
    fn into_node(self) -> Node {
        Yaml::Value(Scalar::Integer(self))
    }
}

impl<T: IntoNode> IntoNode for Vec<T> {
    fn into_node(self) -> Node {
        Yaml::Sequence(self.into_iter().map(IntoNode::into_node).collect())
    }
}

/// A mapping in this order.
pub fn mapping(members: impl IntoIterator<Item = (String, Node)>) -> Node {
    Yaml::Mapping(members.into_iter().map(|(name, value)| (name.into_node(), value)).collect())
}

/// `map! {"type" => "string", ...}`.
macro_rules! map {
    ($($name:expr => $value:expr),* $(,)?) => {
        $crate::openapi::yaml::mapping([$((String::from($name), $crate::openapi::yaml::IntoNode::into_node($value))),*])
    };
}
pub(crate) use map;

/// The mapping with more members at its end.
pub fn extended(node: Node, more: impl IntoIterator<Item = (String, Node)>) -> Node {
    let Yaml::Mapping(mut members) = node else { panic!("a mapping") };
    members.extend(more.into_iter().map(|(name, value)| (name.into_node(), value)));
    Yaml::Mapping(members)
}

/// The mapping with one more member at its end.
pub fn with(node: Node, name: &str, value: impl IntoNode) -> Node {
    extended(node, [(name.to_owned(), value.into_node())])
}

/// A reference to a component.
pub fn reference(kind: &str, name: &str) -> Node {
    map! {"$ref" => format!("#/components/{kind}/{name}")}
}

/// Parses YAML, and so JSON too.
pub fn parse(text: &str) -> Node {
    let owned: &'static str = text.to_owned().leak();
    let mut documents = Yaml::load_from_str(owned).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// The text of a document.
pub fn text(comment: &str, document: &Node) -> String {
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    emitter.dump(document).unwrap();
    let mut all = format!("# {comment}");
    // The emitter indents empty lines too.
    for line in text.lines().skip(1) {
        all.push('\n');
        all.push_str(line.trim_end());
    }
    all.trim_end().to_owned() + "\n"
}

/// The document as JSON.
pub fn json(yaml: &Node) -> Value {
    match yaml {
        Yaml::Mapping(members) => {
            members.iter().map(|(name, value)| (name.as_str().unwrap().to_owned(), json(value))).collect()
        }
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        Yaml::Value(Scalar::String(value)) => value.as_ref().into(),
        other => panic!("{other:?}"),
    }
}
