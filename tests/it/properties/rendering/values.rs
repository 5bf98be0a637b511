//! One of the accepted ways to write a value.

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::Rendering;

impl Rendering {
    /// A text with invisible marks, character references, other white space and decomposed letters. Cleaning undoes all.
    pub fn text(&self, text: &str) -> String {
        let is_plain = self.pick(&[true, false, false]);
        let is_decomposed = self.pick(&[true, false]);
        let text = if is_decomposed { DecomposingNormalizerBorrowed::new_nfd().normalize(text) } else { text.into() };
        let mut written = self.pick(&["", "", " ", "\n", "\u{feff}", "\u{a0}", "&nbsp;"]).to_owned();
        for c in text.chars() {
            written += &self.character(c, is_plain);
        }
        written + self.pick(&["", "", "  ", "\r\n", "\u{202c}", "&#8203;", "&NewLine;"])
    }

    fn character(&self, c: char, is_plain: bool) -> String {
        match c {
            // Before other letters it may look like a reference.
            '&' => return self.pick(&["&amp;", "&#38;", "&#x0026;", "&AMP;"]).to_owned(),
            ' ' if !is_plain => {
                return self.pick(&[" ", "  ", " \t ", "\n", "\u{2009}", "\u{200b} &#32;", "&nbsp;"]).to_owned();
            }
            _ if is_plain => return c.to_string(),
            _ => {}
        }
        let code = u32::from(c);
        let named = match c {
            '"' => "&quot;",
            '\'' => "&apos;",
            '<' => "&lt;",
            '.' => "&period;",
            '$' => "&dollar;",
            '_' => "&lowbar;",
            'é' => "&eacute;",
            '\u{301}' => "&#769;",
            _ => "",
        };
        match self.pick(&["", "", "", "mark", "decimal", "hexadecimal", "named"]) {
            "mark" => {
                format!("{c}{}", self.pick(&["\u{200b}", "\u{ad}", "\u{fe0f}", "\u{2060}", "\u{e0100}", "&shy;"]))
            }
            "decimal" => format!("&#{code};"),
            "hexadecimal" => format!("&#x{code:05X};"),
            "named" if !named.is_empty() => named.to_owned(),
            _ => c.to_string(),
        }
    }

    /// A number that a text field has in its canonical form.
    pub(super) fn number(&self, canonical: &str) -> String {
        let sign = if canonical == "0" { self.pick(&["", "-"]) } else { "" };
        let zeros = self.pick(&["", "", "0", "00", "00000"]);
        let point = if canonical.contains('.') || zeros.is_empty() { "" } else { "." };
        format!("{sign}{canonical}{point}{zeros}")
    }

    /// A JSON number with an exponent.
    fn scientific(&self, digits: &str) -> String {
        let (first, rest) = digits.split_at(1);
        let zero = if rest.is_empty() { "0" } else { "" };
        format!("{first}.{rest}{zero}{}{}", self.pick(&["e", "E", "E+", "e+0"]), rest.len())
    }

    pub(super) fn phone(&self, national: u64) -> String {
        let digits = national.to_string();
        let (area, exchange, line) = (&digits[..3], &digits[3..6], &digits[6..]);
        let dash = self.pick(&["-", "\u{2010}", "\u{2011}", "\u{2013}", "\u{2212}", "\u{ff0d}"]);
        let full_width = digits.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
        let text = self.pick(&[
            digits.clone(),
            format!("+1{digits}"),
            format!("({area}) {exchange}{dash}{line}"),
            format!("+1 ({area}) {exchange}{dash}{line}"),
            format!("(+1) {area} {exchange} {line}"),
            format!("{area}.{exchange}.{line}"),
            format!("tel:+1{dash}{area}{dash}{exchange}{dash}{line}"),
            format!("p:+1{digits}"),
            format!("1{digits}.0"),
            format!("{digits}.000"),
            full_width,
        ]);
        self.pick(&[
            digits.clone(),
            format!("1{digits}"),
            format!("1{digits}.0"),
            self.scientific(&digits),
            self.scientific(&format!("1{digits}")),
            self.string(&self.text(&text)),
            self.string(&self.text(&text)),
            self.string(&self.text(&text)),
        ])
    }

    pub(super) fn amount(&self, dollars: u32) -> String {
        let plain = dollars.to_string();
        let groups = plain.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap());
        let groups: Vec<_> = groups.collect();
        let commas = groups.join(",");
        // A first group of three digits could be a number of its own.
        let spaces = if groups[0].len() < 3 { groups.join(" ") } else { commas.clone() };
        let text = self.pick(&[
            plain.clone(),
            format!("+{plain}"),
            format!("${commas}"),
            format!("$ {commas}.00 USD"),
            format!("usd {plain}.0"),
            format!("US${commas}"),
            format!("{commas}.00 $"),
            format!("{spaces} US$"),
            format!("${spaces}.00"),
            format!("{plain}.0000"),
        ]);
        self.pick(&[
            plain.clone(),
            format!("{plain}.0"),
            format!("{plain}.000"),
            self.scientific(&plain),
            self.string(&self.text(&text)),
            self.string(&self.text(&text)),
        ])
    }
}
