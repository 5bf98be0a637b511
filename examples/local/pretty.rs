//! JSON for reading.

/// The same JSON, a field a line. Nothing is parsed, so order, spelling and repetitions stay as they were sent.
pub fn pretty(json: &str) -> String {
    let mut text = String::new();
    let mut depth: usize = 0;
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if in_string {
            text.push(c);
            in_string = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                depth += 1;
                text.push(c);
                new_line(&mut text, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                let is_empty = text.trim_end().ends_with(['{', '[']);
                text.truncate(text.trim_end().len());
                if !is_empty {
                    new_line(&mut text, depth);
                }
                text.push(c);
            }
            ',' => {
                text.push(c);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                text.push(c);
                in_string = c == '"';
            }
        }
    }
    text
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}
