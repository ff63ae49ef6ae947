//! Documents of the parts that YAML's dialects differ in, put together at random, the same ones in each run.

mod opa;

const SCALARS: &[&str] = &[
    "yes",
    "n",
    "on",
    "Off",
    "true",
    "TRUE",
    "~",
    "null",
    "NULL",
    "0",
    "-0",
    "0777",
    "0o17",
    "0b11",
    "0b-1",
    "0x1F",
    "1_0",
    "1e3",
    "1.0",
    "-.5",
    ".5_0",
    "1.",
    "12:30:45",
    "2001-01-01",
    "1e999",
    "9223372036854775808",
    "18446744073709551616",
    "1.5e-7",
    "a",
    "a b",
    "a:b",
    "a#b",
    "http://x/y?z",
    "é",
    "\u{fdd1}",
    "'it''s'",
    "\"\\x41\\u00e9\\n\"",
    "\"a\\\n b\"",
    "''",
    "\"\"",
    "*x",
    "&x b",
    "&y {k: v}",
    "*y",
    "!!str 1",
    "!!int \"2\"",
    "!!float 3",
    "!!binary aGk=",
    "! 4",
    "!foo 5",
    "!!null",
    "!!bool yes",
    "!!timestamp 2001-01-01",
    "-",
    "--",
    "- a",
    "a: b",
    "@",
    "%",
    "`",
    "|",
    ">",
    "<<",
    "=",
    "{}",
    "[]",
    "a: ",
    "!",
    "a!",
    "\"b!\"",
    "'!c'",
    "a,",
    "a?",
    "?a",
    "::",
    "a:",
    ":a",
    "\u{a0}",
    "\u{2028}",
    "\"\u{85}\"",
    "\t",
    "#",
    " # c",
    ".inf",
    "-.NaN",
];

const LINES: &[&str] = &[
    "a: 1",
    "b: &x",
    "  c: d",
    "  - e",
    "- f",
    "- - g",
    "- h: i",
    "  j: k",
    "<<: *x",
    "<<: {l: m}",
    "<<: [{n: 1}, {n: 2}]",
    "o: |",
    "o: >-",
    "p: |2",
    "    q",
    "",
    "  ",
    "# c",
    "r: 'a",
    "  b'",
    "s: \"a\\",
    "  b\"",
    "? t",
    ": u",
    "? - v",
    "1: w",
    "1.5: x",
    "yes: y",
    "~: z",
    "{a: b}: c",
    "\td: e",
    "f: [",
    "  g,",
    "  h]",
    "i: {j: k,",
    "  l: m}",
    "n: *x",
    "o: !!str",
    "p: - q",
    "r: s: t",
    "...",
    "u",
];

const STREAM_LINES: &[&str] = &[
    "---",
    "--- ",
    "--- # c",
    "--- a",
    "---a",
    "...",
    "# c",
    "",
    "kind: A",
    "kind: B",
    "a: 1",
    "{kind: C}",
    "{\"kind\":\"D\"}",
    "\u{feff}kind: E",
    "{\"kind\":\"F\"} {\"kind\":\"G\"}",
    "%YAML 1.1",
    "null",
    "~",
    "- b",
    "\"kind\": H",
    " kind: I",
    "\t",
    "{\"kind\":\"J\",\"a\":[1.0,\"\\/\"]}",
    "{",
];

/// A source of documents.
pub(crate) struct Generator(u64);

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A value in one line.
    pub(crate) fn value(&mut self) -> String {
        match self.below(6) {
            0 => format!("[{}, {}]", self.one_of(SCALARS), self.one_of(SCALARS)),
            1 => format!("[{},{}]", self.one_of(SCALARS), self.one_of(SCALARS)),
            2 => format!(
                "{{{}: {}, {}: {}}}",
                self.one_of(SCALARS),
                self.one_of(SCALARS),
                "other",
                self.one_of(SCALARS)
            ),
            3 => format!("{{\"a\":{},{}}}", self.one_of(SCALARS), self.one_of(SCALARS)),
            4 => format!(
                "\n  {}: {}\n  other: {}",
                self.one_of(SCALARS),
                self.one_of(SCALARS),
                self.one_of(SCALARS)
            ),
            _ => format!("\n  - {}\n  - {}", self.one_of(SCALARS), self.one_of(SCALARS)),
        }
    }

    /// A document of several lines.
    pub(crate) fn document(&mut self, index: usize) -> String {
        let mut text = format!("kind: K{index}\nspec:\n");
        for _ in 0..=self.below(7) {
            text.push_str("  ");
            text.push_str(self.one_of(LINES));
            text.push('\n');
        }
        text
    }

    /// Several documents, or what might be.
    pub(crate) fn stream(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..=self.below(6) {
            text.push_str(self.one_of(STREAM_LINES));
            text.push_str(if self.below(8) == 0 { "\r\n" } else { "\n" });
        }
        text
    }

    fn one_of(&mut self, parts: &[&'static str]) -> &'static str {
        let index = self.below(parts.len());
        parts[index]
    }

    /// A number below another (SplitMix64).
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }
}
