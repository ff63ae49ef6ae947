//! Builtins with what they take and give.

use super::Type::{
    self, Any, Array, Collection, Narrow, Number, Numbers, Object, Objects, Opaque, Set, Sets, Text, Texts,
    Truth,
};

const SMALL: Type = Narrow(&["0", "1", "2", "3", "-1", "5"]);
const BASE: Type = Narrow(&["2", "8", "10", "16", "1"]);
const BITS: Type = Narrow(&["0", "1", "2", "7", "-1", "5", "64", "9007199254740993"]);
const PATTERN: Type = Narrow(&[
    "`^a`",
    "`[a-z]+`",
    "`(a)(b)?`",
    "`\\d+`",
    "`\\w`",
    "`^.*$`",
    "`a|b`",
    "`(`",
    "`^[^,]+,`",
    "`\\s*`",
    "``",
    "`x*`",
    "`(?i)A`",
    "`^\\w{1,10}$`",
    "`\\bb`",
]);
const REPLACEMENT: Type = Narrow(&["\"-\"", "\"$1\"", "\"${1}x\"", "\"\"", "\"$0\"", "\"$1x\""]);
const GLOB: Type = Narrow(&[
    "\"*\"",
    "\"a*\"",
    "\"*.c\"",
    "\"{a,b}\"",
    "\"**\"",
    "\"?b\"",
    "\"[ab]\"",
    "\"a/*\"",
    "\"[!a]*\"",
]);
const DELIMITERS: Type = Narrow(&["[]", "null", "[\".\"]", "[\"/\"]"]);
const JSON: Type = Narrow(&[
    "`{\"a\": [1, 2.50]}`",
    "`[1`",
    "`\"a\"`",
    "`1e2`",
    "`null`",
    "``",
    "`[true]`",
    "`{\"a\":1,\"a\":2}`",
]);
const YAML: Type = Narrow(&["`a: 1`", "`- b`", "`a: [`", "``", "`yes`", "`a: 0x10`", "`x: 1.0`"]);
const PATHS: Type =
    Narrow(&["[\"a\"]", "[\"o/a\"]", "[[\"c\", \"d\"]]", "{\"a\", \"b\"}", "[\"a/b\", \"c/d/0\"]", "[]"]);
const PATCHES: Type = Narrow(&[
    "[{\"op\": \"add\", \"path\": \"/z\", \"value\": 1}]",
    "[{\"op\": \"remove\", \"path\": \"/a\"}]",
    "[{\"op\": \"replace\", \"path\": \"a\", \"value\": [2]}]",
    "[{\"op\": \"add\", \"path\": \"/c/d/-\", \"value\": 3}]",
    "[{\"op\": \"test\", \"path\": \"/a\", \"value\": 1}]",
    "[{\"op\": \"move\", \"from\": \"/a\", \"path\": \"/y\"}]",
]);
const CUTSET: Type = Narrow(&["\"a\"", "\" \"", "\"ab\"", "\"\"", "\"é\""]);
const SEPARATOR: Type = Narrow(&["\",\"", "\"\"", "\"/\"", "\"b\"", "\"-\""]);
const UNITS: Type = Narrow(&[
    "\"10Mi\"",
    "\"1.5K\"",
    "\"100m\"",
    "\"1e3\"",
    "\"\"",
    "\"x\"",
    "\"10 MB\"",
    "\"0.5Gi\"",
    "\"1k\"",
]);
const VERSION: Type =
    Narrow(&["\"1.2.3\"", "\"1.10.0\"", "\"1.2\"", "\"1.0.0-alpha.1\"", "\"v1.0.0\"", "\"1.0.0+b\""]);
const CIDR: Type =
    Narrow(&["\"10.0.0.0/8\"", "\"10.1.2.3\"", "\"10.1.0.0/16\"", "\"::1/128\"", "\"x\"", "\"10.0.0.1/8\""]);
const TIME: Type = Narrow(&[
    "0",
    "1709208000000000000",
    "-1",
    "1e18",
    "[0, \"Europe/Berlin\"]",
    "[1709208000000000000, \"UTC\"]",
]);
const DATE: Type =
    Narrow(&["\"2024-02-29T12:00:00Z\"", "\"2024-02-29\"", "\"2023-01-01T00:00:00.5+02:00\"", "\"x\""]);
const DURATION: Type = Narrow(&["\"1h30m\"", "\"1.5s\"", "\"-1ms\"", "\"1d\"", "\"\""]);
const BASE64: Type =
    Narrow(&["\"YQ==\"", "\"YQ\"", "\"_-8=\"", "\"+/8=\"", "\"x\"", "\"6161\"", "\"a%20b\"", "\"a=1&a=2\""]);
const KEY: Type =
    Narrow(&["\"a\"", "\"k\"", "\"z\"", "1", "[\"c\", \"d\"]", "[\"c\", \"d\", 0]", "[]", "[\"a\", \"b\"]"]);
const GRAPH: Type = Narrow(&["{\"a\": [\"b\"], \"b\": [\"c\"], \"c\": []}", "{\"a\": {\"b\", \"a\"}}"]);
const RENAMES: Type =
    Narrow(&["{\"a\": \"b\"}", "{\"a\": \"x\", \"b\": \"\"}", "{}", "{\"ab\": \"c\", \"a\": \"d\"}"]);

/// What policies call.
pub(super) const COMMON: &[(&str, &[Type], Type)] = &[
    ("count", &[Collection], Number),
    ("sum", &[Numbers], Number),
    ("product", &[Numbers], Number),
    ("max", &[Array], Any),
    ("min", &[Array], Any),
    ("max", &[Set], Any),
    ("min", &[Set], Any),
    ("sort", &[Array], Array),
    ("sort", &[Set], Array),
    ("abs", &[Number], Number),
    ("ceil", &[Number], Number),
    ("floor", &[Number], Number),
    ("round", &[Number], Number),
    ("concat", &[SEPARATOR, Texts], Text),
    ("contains", &[Text, Text], Truth),
    ("startswith", &[Text, Text], Truth),
    ("endswith", &[Text, Text], Truth),
    ("lower", &[Text], Text),
    ("upper", &[Text], Text),
    ("replace", &[Text, CUTSET, Text], Text),
    ("split", &[Text, SEPARATOR], Array),
    ("substring", &[Text, SMALL, SMALL], Text),
    ("trim", &[Text, CUTSET], Text),
    ("trim_prefix", &[Text, CUTSET], Text),
    ("trim_suffix", &[Text, CUTSET], Text),
    ("trim_space", &[Text], Text),
    ("indexof", &[Text, Text], Number),
    ("format_int", &[Number, BASE], Text),
    ("to_number", &[Opaque], Number),
    ("array.concat", &[Array, Array], Array),
    ("array.slice", &[Array, SMALL, SMALL], Array),
    ("object.get", &[Object, KEY, Any], Any),
    ("object.get", &[Object, KEY, Any], Any),
    ("object.keys", &[Object], Set),
    ("object.union", &[Object, Object], Object),
    ("object.remove", &[Object, Collection], Object),
    ("object.filter", &[Object, Collection], Object),
    ("union", &[Sets], Set),
    ("intersection", &[Sets], Set),
    ("is_string", &[Any], Truth),
    ("is_number", &[Any], Truth),
    ("is_null", &[Any], Truth),
    ("is_array", &[Any], Truth),
    ("is_object", &[Any], Truth),
    ("is_set", &[Any], Truth),
    ("is_boolean", &[Any], Truth),
    ("type_name", &[Any], Text),
    ("regex.match", &[PATTERN, Text], Truth),
    ("glob.match", &[GLOB, DELIMITERS, Text], Truth),
    ("json.marshal", &[Any], Text),
    ("json.unmarshal", &[JSON], Any),
    ("numbers.range", &[SMALL, SMALL], Array),
    ("units.parse_bytes", &[UNITS], Number),
];

/// What they call now and then.
pub(super) const RARE: &[(&str, &[Type], Type)] = &[
    ("indexof_n", &[Text, CUTSET], Array),
    ("trim_left", &[Text, CUTSET], Text),
    ("trim_right", &[Text, CUTSET], Text),
    ("strings.reverse", &[Text], Text),
    ("strings.replace_n", &[RENAMES, Text], Text),
    ("strings.any_prefix_match", &[Texts, Texts], Truth),
    ("strings.any_suffix_match", &[Text, Texts], Truth),
    ("strings.count", &[Text, CUTSET], Number),
    ("array.reverse", &[Array], Array),
    ("array.flatten", &[Array], Array),
    ("object.subset", &[Object, Object], Truth),
    ("object.subset", &[Set, Set], Truth),
    ("object.subset", &[Array, Array], Truth),
    ("object.union_n", &[Objects], Object),
    ("json.filter", &[Object, PATHS], Object),
    ("json.remove", &[Object, PATHS], Object),
    ("json.patch", &[Object, PATCHES], Object),
    ("json.is_valid", &[JSON], Truth),
    ("yaml.marshal", &[Any], Text),
    ("yaml.unmarshal", &[YAML], Any),
    ("yaml.is_valid", &[YAML], Truth),
    ("regex.is_valid", &[PATTERN], Truth),
    ("regex.split", &[PATTERN, Text], Array),
    ("regex.replace", &[Text, PATTERN, REPLACEMENT], Text),
    ("regex.find_n", &[PATTERN, Text, SMALL], Array),
    ("regex.find_all_string_submatch_n", &[PATTERN, Text, SMALL], Array),
    ("glob.quote_meta", &[GLOB], Text),
    ("base64.encode", &[Text], Text),
    ("base64.decode", &[BASE64], Text),
    ("base64.is_valid", &[BASE64], Truth),
    ("base64url.encode", &[Text], Text),
    ("base64url.encode_no_pad", &[Text], Text),
    ("base64url.decode", &[BASE64], Text),
    ("hex.encode", &[Text], Text),
    ("hex.decode", &[BASE64], Text),
    ("urlquery.encode", &[Text], Text),
    ("urlquery.decode", &[BASE64], Text),
    ("urlquery.encode_object", &[RENAMES], Text),
    ("urlquery.decode_object", &[BASE64], Object),
    ("numbers.range_step", &[SMALL, SMALL, SMALL], Array),
    ("bits.and", &[BITS, BITS], Number),
    ("bits.or", &[BITS, BITS], Number),
    ("bits.xor", &[BITS, BITS], Number),
    ("bits.negate", &[BITS], Number),
    ("bits.lsh", &[BITS, SMALL], Number),
    ("bits.rsh", &[BITS, SMALL], Number),
    ("units.parse", &[UNITS], Number),
    ("semver.compare", &[VERSION, VERSION], Number),
    ("semver.is_valid", &[VERSION], Truth),
    ("net.cidr_contains", &[CIDR, CIDR], Truth),
    ("net.cidr_intersects", &[CIDR, CIDR], Truth),
    ("net.cidr_is_valid", &[CIDR], Truth),
    ("time.date", &[TIME], Array),
    ("time.clock", &[TIME], Array),
    ("time.weekday", &[TIME], Text),
    ("time.format", &[TIME], Text),
    ("time.add_date", &[BITS, SMALL, SMALL, SMALL], Number),
    ("time.parse_rfc3339_ns", &[DATE], Number),
    ("time.parse_duration_ns", &[DURATION], Number),
    ("crypto.sha256", &[Text], Text),
    ("crypto.md5", &[Text], Text),
    ("crypto.hmac.sha256", &[Text, Text], Text),
    ("graph.reachable", &[GRAPH, Texts], Set),
];
