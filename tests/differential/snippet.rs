//! Something to evaluate: modules, an input, data and the rule that is asked for.

use std::fmt;

use crate::tree::Tree;

#[derive(Clone, Debug)]
pub(crate) struct Snippet {
    pub(crate) modules: Vec<Module>,
    /// None is an undefined input.
    pub(crate) input: Option<Tree>,
    pub(crate) data: Tree,
    pub(crate) query: String,
    pub(crate) v0: bool,
    pub(crate) strict: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) text: Tree,
}

impl Snippet {
    /// The line of the batch protocol.
    pub(crate) fn line(&self) -> String {
        let modules = self.modules.iter().map(|module| (module.name.clone(), module.text.to_string().into()));
        let modules = serde_json::Value::Object(modules.collect());
        let input = self.input.as_ref().map_or_else(String::new, |input| format!(r#","input":{input}"#));
        // Put together as text: a number stays as it was generated.
        format!(
            r#"{{"modules":{modules}{input},"data":{},"query":"{}","v0":{},"strict":{}}}"#,
            self.data, self.query, self.v0, self.strict
        )
    }

    /// The snippets that are one step smaller.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for index in 0..self.modules.len() {
            let mut without = self.clone();
            without.modules.remove(index);
            if !without.modules.is_empty() {
                all.push(without);
            }
            for text in self.modules[index].text.smaller() {
                let mut snippet = self.clone();
                snippet.modules[index].text = text;
                all.push(snippet);
            }
        }
        if let Some(input) = &self.input {
            all.push(Self { input: None, ..self.clone() });
            all.extend(input.smaller().into_iter().map(|input| Self { input: Some(input), ..self.clone() }));
        }
        all.extend(self.data.smaller().into_iter().map(|data| Self { data, ..self.clone() }));
        if self.strict {
            all.push(Self { strict: false, ..self.clone() });
        }
        all
    }
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for module in &self.modules {
            writeln!(f, "# {}\n{}", module.name, module.text)?;
        }
        match &self.input {
            Some(input) => writeln!(f, "# input {input}")?,
            None => writeln!(f, "# input undefined")?,
        }
        let (v0, strict) = (if self.v0 { ", v0" } else { "" }, if self.strict { ", strict" } else { "" });
        write!(f, "# data {}\n# {}{v0}{strict}", self.data, self.query)
    }
}

#[test]
fn a_line_keeps_the_numbers() {
    let module = Module { name: "a.rego".to_owned(), text: Tree::from("package a\n\nb := \"c\"\n") };
    let mut snippet = Snippet {
        modules: vec![module],
        input: Some(Tree::from("1.0")),
        data: Tree::from("{}"),
        query: "data.a.b".to_owned(),
        v0: false,
        strict: true,
    };
    let expected = r#"{"modules":{"a.rego":"package a\n\nb := \"c\"\n"},"input":1.0,"data":{},"query":"data.a.b","v0":false,"strict":true}"#;
    assert_eq!(snippet.line(), expected);
    snippet.input = None;
    assert_eq!(snippet.line(), expected.replace(r#","input":1.0"#, ""));
}
