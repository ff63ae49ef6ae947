# METADATA
# title: Quantities
# description: >-
#   Amounts as Kubernetes writes them: a decimal number with a suffix (`100m`, `1.5Gi`, `2e3`), compared exactly, as
#   whole numbers of thousandths.
package lib.quantities

# The amount in thousandths; what is finer is rounded up, as the API server does it. Undefined where it is no quantity,
# or has more than 18 digits.
milli(value) := result if {
	parts := _parts(value)
	digits := sprintf("%s%s", [parts[2], parts[3]])
	digits != ""
	count(digits) <= 18
	amount := to_number(regex.replace(digits, `^0+([0-9])`, "$1"))
	decimals := count(parts[3])
	scale := _scale(parts[4])
	shift := (scale.exponent + 3) - decimals
	result := _signs[parts[1]] * _shifted(amount * scale.factor, shift)
}

is_quantity(value) if milli(value)

# Whole, sign, digits before and behind the point, suffix.
_parts(value) := regex.find_all_string_submatch_n(`^([+-]?)([0-9]*)(?:\.([0-9]*))?([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2}|)$`, text, 1)[0] if {
	text := _text(value)
}

_text(value) := trim_space(value) if is_string(value)

_text(value) := sprintf("%v", [value]) if is_number(value)

_signs := {"": 1, "+": 1, "-": -1}

_scale(suffix) := {"factor": 1, "exponent": exponent} if exponent := _decimal[suffix]

_scale(suffix) := {"factor": factor, "exponent": 0} if factor := _binary[suffix]

_scale(suffix) := {"factor": 1, "exponent": exponent} if {
	regex.match(`^[eE][+-]?[0-9]`, suffix)
	exponent := to_number(regex.replace(suffix, `^[eE][+]?`, ""))
}

_decimal := {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}

_binary := {
	"Ki": 1024,
	"Mi": 1048576,
	"Gi": 1073741824,
	"Ti": 1099511627776,
	"Pi": 1125899906842624,
	"Ei": 1152921504606846976,
}

_shifted(amount, digits) := amount * _ten(digits) if digits >= 0

_shifted(amount, digits) := ((amount - rest) / divisor) + _more(rest) if {
	digits < 0
	divisor := _ten(0 - digits)
	rest := amount % divisor
}

_more(0) := 0

_more(rest) := 1 if rest > 0

_ten(digits) := to_number(sprintf("1%s", [concat("", ["0" | some _ in numbers.range(1, digits)])])) if digits > 0

_ten(0) := 1
