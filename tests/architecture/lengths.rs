//! Lengths: a file is read at one go, a function fits on a screen.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{Fault, Source, assert_faults, assert_none, sources};

const LONGEST_FILE: usize = 400;
const MEDIAN_FILE: usize = 150;
const LONGEST_FUNCTION: usize = 60;

#[test]
fn files_and_functions_are_short() {
    let everywhere: Vec<Source> = ["src", "tests", "benches", "fuzz"].into_iter().flat_map(sources).collect();
    assert_none(&long_files(&everywhere));
    assert_none(&long_functions(&everywhere));
}

#[test]
fn most_files_are_very_short() {
    assert_none(&long_median(&sources("src")));
}

fn long_files(sources: &[Source]) -> Vec<Fault> {
    let long = sources.iter().filter(|source| lines(source) > LONGEST_FILE);
    let fault = |source: &Source| {
        let what = format!("{} lines, {LONGEST_FILE} is the limit", lines(source));
        source.fault(lines(source), what, "part it by what it does")
    };
    long.map(fault).collect()
}

fn long_median(sources: &[Source]) -> Vec<Fault> {
    let mut by_length: Vec<&Source> = sources.iter().collect();
    by_length.sort_by_key(|source| lines(source));
    let median = by_length.get(by_length.len().div_euclid(2)).filter(|source| lines(source) > MEDIAN_FILE);
    let fault = |source: &&Source| {
        let what = format!("the median file has {} lines, {MEDIAN_FILE} is the limit", lines(source));
        source.fault(lines(source), what, "part the files above it")
    };
    median.map(fault).into_iter().collect()
}

fn lines(source: &Source) -> usize {
    source.text.lines().count()
}

fn long_functions(sources: &[Source]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for source in sources {
        for function in functions(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path)) {
            if function.lines > LONGEST_FUNCTION {
                let what = format!(
                    "`{}` has {} lines, {LONGEST_FUNCTION} is the limit",
                    function.name, function.lines
                );
                faults.push(source.fault(function.line, what, "part it by what it does"));
            }
        }
    }
    faults
}

/// A function with a body, from `fn` to its last brace. Closures are part of the function they are in.
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// All functions, also nested ones, methods, and those within macros such as `proptest!`.
fn functions(text: &str) -> Result<Vec<Function>, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
    let mut found = Vec::new();
    collect(tokens, &mut found);
    Ok(found)
}

fn collect(tokens: TokenStream, found: &mut Vec<Function>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Ident(word) if word == "fn" => {
                found.extend(function(trees.get(index..).unwrap_or_default()))
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The function at the start of `trees`; none for a type `fn(…)`, or for a declaration without a body.
fn function(trees: &[TokenTree]) -> Option<Function> {
    let [start, TokenTree::Ident(name), rest @ ..] = trees else { return None };
    let end = (0..rest.len()).find_map(|index| rest.get(index..).filter(|rest| ends(rest)))?;
    let [TokenTree::Group(body), ..] = end else { return None };
    let (first, last) = (start.span().start().line, body.span_close().end().line);
    Some(Function {
        name: name.to_string(),
        line: first,
        lines: last.saturating_sub(first).saturating_add(1),
    })
}

/// Whether a signature ends before `rest`: at its body, or at the semicolon of a declaration. The braces of a constant
/// argument, as in `Array<{ N }>`, stand before another sign.
fn ends(rest: &[TokenTree]) -> bool {
    match rest {
        [TokenTree::Group(group), TokenTree::Punct(next), ..] if group.delimiter() == Delimiter::Brace => {
            !matches!(next.as_char(), '>' | ',')
        }
        [TokenTree::Group(group), ..] => group.delimiter() == Delimiter::Brace,
        [TokenTree::Punct(punct), ..] => punct.as_char() == ';',
        _ => false,
    }
}

/// A text of so many lines.
fn text(lines: usize) -> String {
    "// x\n".repeat(lines)
}

#[test]
fn a_long_file_is_a_fault() {
    assert_none(&long_files(&[Source::new("src/a.rs", &text(400))]));
    let bad = [Source::new("src/a.rs", &text(401)), Source::new("src/b.rs", "")];
    assert_faults(&long_files(&bad), &["src/a.rs:401: 401 lines, 400 is the limit"]);
}

#[test]
fn a_long_median_is_a_fault() {
    let files = |lengths: [usize; 3]| lengths.map(|length| Source::new("src/a.rs", &text(length)));
    assert_none(&long_median(&files([400, 1, 150])));
    assert_faults(&long_median(&files([151, 1, 400])), &["the median file has 151 lines"]);
    assert_none(&long_median(&[]));
}

#[test]
fn a_long_function_is_a_fault() {
    // With `fn f() {` and `}` sixty lines.
    let (good, bad) = (text(58), text(59));
    for (head, tail) in [
        ("fn f() {\n", "}"),
        ("impl T { #[test] pub(crate) fn f(&self) -> X<{ N }> where Self: Sized, {\n", "}}"),
        ("trait T { fn g(); fn f() {\n", "} }"),
        ("proptest! { #[test] fn f(a in 0..9) {\n", "}}"),
        ("fn g() { fn f() { let c = |x: fn(u8)| {\n", "};}}"),
        ("/// Documentation\n/// is not counted.\n#[test]\nfn f() {\n", "}"),
    ] {
        assert_none(&long_functions(&[Source::new("src/a.rs", &format!("{head}{good}{tail}"))]));
        let faults = long_functions(&[Source::new("src/a.rs", &format!("{head}{bad}{tail}"))]);
        assert!(
            faults.iter().any(|fault| fault.to_string().contains("`f` has 61 lines")),
            "{head}: {faults:?}"
        );
    }
    let long = format!("fn f() {{\n    1;\n}}\nconst C: fn() = f;\nmod m {{ {bad} }}");
    assert_none(&long_functions(&[Source::new("src/a.rs", &long)]));
}
