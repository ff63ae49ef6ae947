//! The cases: one text each, modules parted by `---`.

/// Modules, and the codes and places of what is wrong with them.
pub(crate) struct Case {
    pub(crate) text: &'static str,
    pub(crate) expected: &'static [&'static str],
    /// `opa check` refuses them too.
    pub(crate) opa_too: bool,
    pub(crate) v0: bool,
}

impl Case {
    /// Refused, as by OPA.
    pub(crate) const fn v1(text: &'static str, expected: &'static [&'static str]) -> Self {
        Self { text, expected, opa_too: true, v0: false }
    }

    /// Refused by meshgate only.
    const fn ours(text: &'static str, expected: &'static [&'static str]) -> Self {
        Self { text, expected, opa_too: false, v0: false }
    }

    /// In the dialect before OPA 1.0.
    const fn before(self) -> Self {
        Self { v0: true, ..self }
    }
}

const fn passes(text: &'static str) -> Case {
    Case::ours(text, &[])
}

pub(crate) const REFUSED: &[Case] = &[
    // MG100: not Rego.
    Case::v1("package a\np :=\n", &["MG100 0.rego:3:1"]),
    Case::v1("package a\np { true }\n", &["MG100 0.rego:2:3"]),
    Case::v1("package a\np if { true } else := 1 if { }\n", &["MG100 0.rego:2:28"]),
    Case::v1("package a\np if { true } else := 1 if {1, 2} != 3\n", &["MG100 0.rego:2:28"]),
    Case::v1("package a\np if { true } else := 1 if {\"a\": x} = input.o\n", &["MG100 0.rego:2:28"]),
    Case::v1("package a\np if {1, 2}\n", &["MG100 0.rego:2:6"]),
    Case::v1("package a\np if { input.x, 1 }\n", &["MG100 0.rego:2:6"]),
    Case::v1("package a\np[x]\nq := 1\n", &["MG100 0.rego:2:1", "MG111 0.rego:2:3"]),
    // MG103: what can't be called, and functions that are not called.
    Case::v1("package a\np if nope(1)\n", &["MG103 0.rego:2:6"]),
    Case::v1("package a\np if { false; x := cuont([1]); x > 0 }\n", &["MG103 0.rego:2:20"]),
    Case::v1("package a\nq := 1\np if q(1)\n", &["MG103 0.rego:3:6"]),
    Case::v1("package a\np if data.b.f(1)\n---\npackage b\ng(x) := x\n", &["MG103 0.rego:2:6"]),
    Case::v1("package a\nimport data.b\np if b.f(1)\n---\npackage b\ng(x) := x\n", &["MG103 0.rego:3:6"]),
    Case::v1("package a\nimport data.b.f\np if f(1)\n---\npackage a\nf(x) := x\n", &["MG103 0.rego:3:6"]),
    Case::v1("package a\nf(x) := x\np := f\n", &["MG103 0.rego:3:6"]),
    Case::v1("package a\nf(x) := x\np if { f := 1; f(2) == 2 }\n", &["MG103 0.rego:3:16"]),
    // MG104: numbers of arguments.
    Case::v1("package a\nf(x) := x\np if f(1, 2, 3)\n", &["MG104 0.rego:3:6"]),
    Case::v1("package a\nf(x) := x\np := f(1, 2)\n", &["MG104 0.rego:3:6"]),
    Case::v1("package a\np if startswith(\"a\")\n", &["MG104 0.rego:2:6"]),
    Case::v1("package a\np := [x | x := count()]\n", &["MG104 0.rego:2:16"]),
    Case::v1("package a\nf(x) := x\np if { true } else := f() if { true }\n", &["MG104 0.rego:3:23"]),
    // MG105: builtins that are refused, and removed.
    Case::ours(
        "package a\np := http.send({\"method\": \"get\", \"url\": \"https://a\"})\n",
        &["MG105 0.rego:2:6"],
    ),
    Case::ours("package a\np if q with http.send as f\nf(_) := 1\nq := 1\n", &["MG105 0.rego:2:13"]),
    Case::ours("package a\np := opa.runtime()\n", &["MG105 0.rego:2:6"]),
    Case::ours("package a\np := rand.intn(\"a\", 3)\n", &["MG105 0.rego:2:6"]),
    Case::v1("package a\np if any([true])\n", &["MG105 0.rego:2:6"]),
    // MG106: recursion.
    Case::v1("package a\np if q\nq if p\n", &["MG106 0.rego:2:1"]),
    Case::v1("package a\nf(x) := f(x - 1)\n", &["MG106 0.rego:2:1"]),
    Case::v1(
        "package a\nf(x) := y if { x > 0; y := g(x - 1) }\nf(0) := 0\ng(x) := f(x)\n",
        &["MG106 0.rego:2:1"],
    ),
    Case::v1("package a\np[x] := y if { x := 1; y := p[2] }\n", &["MG106 0.rego:2:1"]),
    Case::v1("package a\np := count(data.a)\n", &["MG106 0.rego:2:1"]),
    Case::v1("package a\np := [x | x := data.b.q]\n---\npackage b\nq := data.a.p\n", &["MG106 0.rego:2:1"]),
    Case::v1("package a\np if { q with data as 1 }\nq := 1\n", &["MG106 0.rego:2:1"]),
    Case::v1("package a\np := [1 | x := x] if { x := 1 }\n", &["MG113 0.rego:2:11"]),
    // MG108: layout, and unions that are comprehensions to OPA.
    Case::ours("package a\np if { {1} | {2} == {3} }\n", &["MG108 0.rego:2:12"]),
    Case::ours(
        "package a\np contains 1 if {\n\t(q) | {2} == {3}\n\ttrue\n}\nq := {1}\n",
        &["MG108 0.rego:3:6"],
    ),
    Case::ours("package a\nf(x) if { x.a[0] | {2} == {3} } else := 1\n", &["MG108 0.rego:2:18"]),
    Case::ours("package a\np if { union(q)[_] | {2} == {3} }\nq := {{1}}\n", &["MG108 0.rego:2:20"]),
    Case::ours("package a\np if { set() | {2} == {3} }\n", &["MG108 0.rego:2:14"]),
    Case::ours("package a\np := {q | {1} | {2}}\nq := {9}\n", &["MG108 0.rego:2:9"]),
    Case::ours("package a\np := [q | {1} | {2}][_]\nq := {9}\n", &["MG108 0.rego:2:9"]),
    Case::ours("package a\np := {1: q | {1} | {2}}\nq := {9}\n", &["MG108 0.rego:2:12"]),
    Case::v1("package a\np := {q | {1}: 1}\nq := {9}\n", &["MG108 0.rego:2:9"]),
    // MG109, MG110: limits, and what is no name.
    Case::ours("package a\np := [[[[[[[[[[[[[[[[[[[[1, 2, 3]]]]]]]]]]]]]]]]]]]]\n", &["MG109 0.rego:2:24"]),
    Case::v1("package a\np := $\"one {1}\n", &["MG110 0.rego:2:6"]),
    Case::v1("package a\nin := 1\n", &["MG110 0.rego:2:1"]),
    // MG111: variables that nothing binds.
    Case::v1("package a\np if x\n", &["MG111 0.rego:2:6"]),
    Case::v1("package a\np := x if true\n", &["MG111 0.rego:2:6"]),
    Case::v1("package a\np contains x if y := 1\n", &["MG111 0.rego:2:12"]),
    Case::v1("package a\nf(x) := y if x == 1\n", &["MG111 0.rego:2:9"]),
    Case::v1("package a\np if { not q[x] }\nq := {1}\n", &["MG111 0.rego:2:14"]),
    Case::v1("package a\np if { not q[_] }\nq := {1}\n", &["MG111 0.rego:2:14"]),
    Case::v1("package a\np if { x == y; y := 1 }\n", &["MG111 0.rego:2:8", "MG113 0.rego:2:16"]),
    Case::v1("package a\np if { some x; x > 1 }\n", &["MG111 0.rego:2:13"]),
    Case::v1("package a\np := [x | y := 1]\n", &["MG111 0.rego:2:7"]),
    Case::v1("package a\np if { x := [y | y := z]; z == x }\n", &["MG111 0.rego:2:8", "MG111 0.rego:2:23"]),
    Case::v1("package a\np if { every x in xs { x > 1 } }\n", &["MG111 0.rego:2:19"]),
    Case::v1("package a\np if { every x in [1] { x > y } }\n", &["MG111 0.rego:2:29"]),
    Case::v1("package a\np if { q with input as x }\nq := 1\n", &["MG111 0.rego:2:24"]),
    Case::v1("package a\np if { {x} = {1}; x > 0 }\n", &["MG111 0.rego:2:9"]),
    Case::v1("package a\np if { count(x, n); n > 0 }\n", &["MG111 0.rego:2:14", "MG111 0.rego:2:17"]),
    Case::v1("package a\np if { x[i]; i > 1 }\n", &["MG111 0.rego:2:8", "MG111 0.rego:2:10"]),
    Case::v1("package a\np[x] := 1 if true\n", &["MG111 0.rego:2:3"]),
    Case::v1("package a\np if { true } else := x if { true }\n", &["MG111 0.rego:2:23"]),
    Case::v1("package a\np := lower(inputs.name)\n", &["MG111 0.rego:2:12"]),
    // MG112: definitions that don't agree.
    Case::v1("package a\np := 1\np contains 2\n", &["MG112 0.rego:3:1"]),
    Case::v1("package a\nf(x) := x\nf(x, y) := y if x\n", &["MG112 0.rego:3:1"]),
    Case::v1("package a\nf(x) := x\nf := 1\n", &["MG112 0.rego:3:1"]),
    Case::v1("package a\np := 1\np[x] := x if x := \"a\"\n", &["MG112 0.rego:3:1"]),
    Case::v1("package a\np := 1\np.q := 1\n", &["MG112 0.rego:2:1"]),
    Case::v1("package a\ndefault p := 1\ndefault p := 2\n", &["MG112 0.rego:3:9"]),
    Case::v1("package a\nb := 1\n---\npackage a.b\nq := 1\n", &["MG112 0.rego:2:1"]),
    Case::v1("package a\nb := 1\n---\npackage a.b\n", &["MG112 0.rego:2:1"]),
    Case::v1("package a\ndefault p := input.x\n", &["MG112 0.rego:2:14"]),
    Case::v1("package a\ndefault p := [input.x]\n", &["MG112 0.rego:2:14"]),
    // MG113: declarations.
    Case::v1("package a\np if { x := 1; x := 2 }\n", &["MG113 0.rego:2:16"]),
    Case::v1("package a\np if { x == 1; x := 1 }\n", &["MG113 0.rego:2:16"]),
    Case::v1("package a\nf(x) := y if { x := 1; y := x }\n", &["MG113 0.rego:2:16"]),
    Case::v1("package a\np if { some x; some x in [1]; x > 0 }\n", &["MG113 0.rego:2:21"]),
    Case::v1("package a\np if { some x, y; x = 1 }\n", &["MG113 0.rego:2:16"]),
    Case::v1("package a\np if { every x in [1] { true } }\n", &["MG113 0.rego:2:14"]),
    Case::v1("package a\nf(x) := [x | x := 1 with input.o as x]\n", &["MG113 0.rego:2:14"]),
    Case::v1("package a\np if { x = 1; every y in [2] { x := x + 1; y > x } }\n", &["MG113 0.rego:2:32"]),
    Case::v1(
        "package a\np if { some y in [1]; some z in input.p with input.q as input.xs[y]; z > y }\n",
        &["MG113 0.rego:2:66"],
    ),
    Case::v1("package a\np if { not x := 1 }\n", &["MG113 0.rego:2:12", "MG111 0.rego:2:12"]),
    Case::v1("package a\np if { input.x := 1 }\n", &["MG113 0.rego:2:8"]),
    Case::v1("package a\np if { [x, x] := [1, 1] }\n", &["MG113 0.rego:2:12"]),
    // MG114: names of imports and documents.
    Case::v1(
        "package a\nimport data.b.x\nimport data.c.x\np := x\n---\npackage b\nx := 1\n---\npackage c\nx := 1\n",
        &["MG114 0.rego:3:8"],
    ),
    Case::v1("package a\nf(input) := input.x\n", &["MG114 0.rego:2:3"]),
    // MG115: targets of `with`.
    Case::v1("package a\nq := {\"r\": 1}\np if q with data.a.q.r as 2\n", &["MG115 0.rego:3:13"]),
    Case::v1("package a\nq := 1\np if q with nope as 2\n", &["MG115 0.rego:3:13"]),
    Case::v1("package a\nf(x) := x\nq := f(1)\np if q with f as time.now_ns\n", &["MG115 0.rego:4:18"]),
    Case::v1("package a\nf(_) := 1\ng(_, _) := 1\np if f(1) with f as g\n", &["MG115 0.rego:4:21"]),
    Case::v1("package a\ng(_, _) := 1\np if count([1]) with count as g\n", &["MG115 0.rego:3:31"]),
    Case::v1("package a\nq := 1\np if q with walk as 2\n", &["MG115 0.rego:3:13"]),
    // MG117: what is never equal.
    Case::v1("package a\np if 1 == \"a\"\n", &["MG117 0.rego:2:6"]),
    Case::v1("package a\np if { x := 1; x == \"a\" }\n", &["MG117 0.rego:2:16"]),
    Case::v1("package a\np if { [_, 1] = [2, \"a\"] }\n", &["MG117 0.rego:2:8"]),
    Case::v1("package a\np if { [1] = [1, 2] }\n", &["MG117 0.rego:2:8"]),
    Case::v1("package a\np if { {\"a\": 1} = {\"b\": 1} }\n", &["MG117 0.rego:2:8"]),
    Case::v1("package a\np if { not {1} == [1] }\n", &["MG117 0.rego:2:12"]),
    Case::v1("package a\np := [x | x := null; x == false]\n", &["MG117 0.rego:2:22"]),
    Case::v1("package a\np if q == \"a\"\nq := 1 if input.x\nq := null if input.y\n", &["MG117 0.rego:2:6"]),
    Case::v1("package a\np if count(input.xs) == \"1\"\n", &["MG117 0.rego:2:6"]),
    Case::v1("package a\np if { some x in [1, 2]; x == \"a\" }\n", &["MG117 0.rego:2:26"]),
    Case::v1("package a\np if { some i; input.xs[i] == 1; [\"a\"][i] == 1 }\n", &["MG117 0.rego:2:34"]),
    Case::v1("package a\np if { x == \"a\"; x := 1 + 1 }\n", &["MG113 0.rego:2:18"]),
    Case::v1("package a\np if q == {1}\nq contains \"a\"\n", &["MG117 0.rego:2:6"]),
    Case::v1("package a\np if \"a\" in {1, 2}\n", &["MG117 0.rego:2:6"]),
    Case::v1("package a\np if f(1) == \"a\"\nf(x) := x + 1\n", &["MG117 0.rego:2:6"]),
    Case::v1("package a\nimport data.b\np if b.q == 1\n---\npackage b\nq := \"a\"\n", &["MG117 0.rego:3:6"]),
    // MG118: arguments.
    Case::v1("package a\np if startswith(1, \"a\")\n", &["MG118 0.rego:2:17"]),
    Case::v1("package a\np := count(5)\n", &["MG118 0.rego:2:12"]),
    Case::v1("package a\np if count([1], \"a\")\n", &["MG118 0.rego:2:17"]),
    Case::v1("package a\np := sum([1, \"a\"])\n", &["MG118 0.rego:2:10"]),
    Case::v1("package a\np := 1 + \"a\"\n", &["MG118 0.rego:2:10"]),
    Case::v1("package a\np := {1} | [2]\n", &["MG118 0.rego:2:12"]),
    Case::v1("package a\np if f(1)\nf(x) if startswith(x, \"a\")\n", &["MG118 0.rego:2:8"]),
    Case::v1("package a\np if f(q)\nf(x) if startswith(x, \"a\")\nq := 1\n", &["MG118 0.rego:2:8"]),
    Case::v1("package a\np := [y | x := 1; y := lower(x)]\n", &["MG118 0.rego:2:30"]),
    Case::v1("package a\np := concat(\",\", [1])\n", &["MG118 0.rego:2:18"]),
    Case::v1("package a\np if not startswith(1, \"a\")\n", &["MG118 0.rego:2:21"]),
    // MG119: parts.
    Case::v1("package a\nq := 1\np := q.a\n", &["MG119 0.rego:3:6"]),
    Case::v1("package a\np if { x := {\"a\": 1}; x.b }\n", &["MG119 0.rego:2:25"]),
    Case::v1("package a\nq := {\"a\": 1}\np if q.b > 1\n", &["MG119 0.rego:3:8"]),
    Case::v1("package a\nq := [1]\np := q.b\n", &["MG119 0.rego:3:8"]),
    Case::v1("package a\nq := [1]\np := q[1]\n", &["MG119 0.rego:3:8"]),
    Case::v1("package a\nq contains 1\np if q.b\n", &["MG119 0.rego:3:8"]),
    Case::v1("package a\nq[x] := 1 if x := \"a\"\np if q[1]\n", &["MG119 0.rego:3:8"]),
    Case::v1("package a\nq := {\"a\": 1}\np if { every x in [1] { q.b == x } }\n", &["MG119 0.rego:3:27"]),
    Case::v1("package a\np if { x := \"a\"; [1, 2][x] }\n", &["MG119 0.rego:2:25"]),
    Case::v1("package a\nq := 1\np if data[[1]]\n", &["MG119 0.rego:3:11"]),
    // MG103 again: what a call finds where its package is replaced.
    Case::v1(
        "package a\np if data.b.f(1) with data.b as {\"a\"}\n---\npackage b\nf(x) := x\n",
        &["MG103 0.rego:2:6"],
    ),
    // MG115 again: what stands in for a function takes other types.
    Case::v1(
        "package a\nf(x) if startswith(x, \"a\")\ng(x) if x + 1 > 2\nq if f(\"a\")\np if q with f as g\n",
        &["MG115 0.rego:5:18"],
    ),
];

pub(crate) const PASSED: &[Case] = &[
    passes("package a\np if { x := 1; y := 2; [x, y] = [y, input.a] }\n"),
    passes("package a\np := y if { [x, y] = [1, input.a]; not input.b[x] }\n"),
    passes("package a\np if count([1]) > 0\n"),
    passes("package a\nf(x) := x\np if f(1, 1)\n"),
    passes("package a\np if { [x, y] = [1, 2]; z := [y | y := y + 1]; x != z }\n"),
    passes("package a\np if { count([1], n); n == 1 }\n"),
    passes("package a\nf(x) := x\nq := f(1)\np if q with f as 2\nr if q with f as g\ng(x) := count(x)\n"),
    passes("package a\np if q with input.a.b as 1\nq if input.a.b == 1\n"),
    passes("package a\nimport data.b\np if b.f(1)\n---\npackage b\nf(x) := x\n"),
    passes("package a\np := time.now_ns()\n"),
    passes("package a\np.q := 1\np.r := p.q\n"),
    passes("package a\np if q\nq := [data.b.r, data.b[\"s\"]]\n---\npackage b\nr := 1\ns := 2\n"),
    passes("package a\nf(x) := 1 if x == 1\nf(x) := 2 if x == 2\n"),
    passes("package a\np if { x == 1 } else if { y == 2; y = 2 }\nx := 1\n"),
    passes("package a\np if {\n\tx := q\n\tx == 1\n\t(x + 1) == 2\n}\nq := 1\n"),
    passes(
        "package a\np := {\"a\": {\"b\": {\"c\": {\"d\": {\"e\": {\"f\": {\"g\": [{\"h\": [1, 2, 3]}]}}}}}}}\n",
    ),
    passes("package a\np if { x == 1; x = 1 }\n"),
    passes("package a\np if { y := x[0]; x = [1]; y == 1 }\n"),
    passes("package a\np if { not q[0] }\nq := {1}\n"),
    passes("package a\np if { x := 0; not q[x] }\nq := {1}\n"),
    passes("package a\np if { not _q }\n_q if r[_] == 1\nr := [1]\n"),
    passes("package a\np contains x if some x in q\nq := {1}\n"),
    passes("package a\np contains x if some _, x in q\nq := {1}\n"),
    passes("package a\np contains [i, x] if some i, {\"a\": x} in q\nq := [{\"a\": 1}]\n"),
    passes("package a\np contains x if { some i; q[i] == x; x = 1 }\nq := [1]\n"),
    passes("package a\np := [x | some x in [1]; not x in {2}]\n"),
    passes("package a\np if { x := [y | some y in [1]; y > z]; z = 0; x == [1] }\n"),
    passes("package a\np if { [x, {\"a\": y}] = [1, {\"a\": 2}]; x + y == 3 }\n"),
    passes("package a\np if { [x, y] := f(1); x == y }\nf(x) := [x, x]\n"),
    passes("package a\np if { every i, x in q { x > i } }\nq := [1]\n"),
    passes("package a\np := $\"one {1}\"\nin.b := 1\n"),
    passes(
        "package a\nf(_) := 1\ng(_) := 2\np if { f(1) == 2 with f as g; count([1]) == 2 with count as g }\n",
    ),
    passes("package a\np if { 1 != \"a\"; x := 1 == \"a\"; x == false }\n"),
    passes("package a\np if { [x, 1] = [2, 1]; {\"a\": y} = {\"a\": x}; y == 2; {1} == {x} }\n"),
    passes("package a\np.b[x] contains 1 if x := 2\nq[7] contains 8\n"),
    passes("package a\np if {}\n"),
    // Unions where no comprehension can stand, or that are in parentheses.
    passes("package a\np if { (q | {1}) == {1}; q | {1} == {1} }\nq := {1}\n"),
    passes("package a\np if q | {1} == {1}\nq := {1}\n"),
    passes("package a\np if { q & q | {1} == {1} }\nq := {1}\n"),
    passes(
        "package a\np := [1, q | {1}, {q | {1}, 2}, {3: q | {1}, 4: 5}, [(q | {1})], [x | x := q | {1}]]\nq := {1}\n",
    ),
    passes("package a\np if { every x in [1] { q | {x} == {1} } }\nq := {1}\n"),
    passes("package a\np if {1, 2} == {2}\n"),
    passes("package a\np { q | {1} == {1} }\nq = {1}\n").before(),
    passes("package a\np if { every _, x in [1] { x == 1 } }\n"),
    passes("package a\np if { x := 1; every y in [2] { y > x } }\n"),
    passes("package a\np if { x := 1; [y | x := 2; y := x] == [2] }\n"),
    passes("package a\np if { walk(input, [path, value]); count(path) > 0; value == 1 }\n"),
    passes("package a\np if { input.a[i].b[j] == input.c[i][j] }\n"),
    passes("package a\nf([x, {\"a\": y}]) := x + y\n"),
    passes("package a\nf(_, x) := x\np := f(1, 2)\n"),
    passes("package a\np contains 1\np contains x if x := 2\n"),
    passes("package a\np[x] := 1 if x := \"a\"\np.b := 2\n"),
    passes("package a\ndefault p := {\"a\": [1, `x`]}\np := input.x\n"),
    passes("package a\ndefault f(_) := 1\nf(x) := x if x > 1\n"),
    passes(
        "package a\nimport data.b.x\nimport data.c.x as y\np := [x, y]\n---\npackage b\nx := 1\n---\npackage c\nx := 1\n",
    ),
    passes("package a\nx := 1\np if { x := 2; x == 2 }\n"),
    passes("package a\np if { some x; x = 1 }\n"),
    passes("package a\np if { print(1, 2, 3) }\n"),
    passes("package a\np := sum([x | x := input[_].a]) + 1\n"),
    passes("package a\np if { x := input.x; x == 1; x == 2 }\n"),
    passes("package a\nq := {\"a\": 1}\np if q.a == 1\n"),
    passes("package a\nq := {\"a\": input.x}\np if { some k; q[k] == 1 }\n"),
    passes("package a\nq := 1 if input.x\nq := \"a\" if not input.x\np if q == \"a\"\n"),
    passes("package a\np if q.b == 1 with q as {\"b\": 1}\nq := {\"a\": 1}\n"),
    passes("package a\np if q == 1 with input.x as 1\nq := input.x\n"),
    passes("package a\np if { every x in [1] { startswith(x, \"a\") } }\n"),
    passes("package a\nq[x] := 1 if x := input.x\np if q[1]\n"),
    passes("package a\np if { some x in []; x.a == 1 }\n"),
    passes("package a\nf(x) := x.a\np := f({})\n"),
    passes("package a\nf(1) := 1\nf(\"a\") := 2\np := [f(1), f(\"a\"), f(input.x)]\n"),
    passes("package a\np := json.unmarshal(\"{}\").a.b[0]\n"),
    passes("package a\np if { 1 < \"a\"; 1 != \"a\" }\n"),
    passes("package a\np { q[x]; x > 1 }\nq[x] { x := 2 }\n").before(),
    passes("package a\nf(x) { x == 1 } { x == 2 }\n").before(),
];
