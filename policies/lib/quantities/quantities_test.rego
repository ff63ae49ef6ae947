package lib.quantities_test

import data.lib.quantities

test_amounts if {
	amounts := {
		"0": 0, "1": 1000, "100m": 100, "0.1": 100, ".5": 500, "1.": 1000, "+2": 2000, "-1": -1000, "00010": 10000, " 1 ": 1000,
		"1k": 1000000, "1M": 1000000000, "1G": 1000000000000, "1T": 1000000000000000, "1P": 1000000000000000000,
		"2E": 2000000000000000000000,
		"1Ki": 1024000, "1Mi": 1048576000, "1.5Gi": 1610612736000, "1Ti": 1099511627776000, "1Pi": 1125899906842624000,
		"1e3": 1000000, "1E3": 1000000, "1e+3": 1000000, "15e-1": 1500, "1E": 1000000000000000000000,
		"1000u": 1, "1u": 1, "1001u": 2, "1000000n": 1, "1n": 1, "0.0001": 1, "0n": 0, "-1500u": -2, "0.1Ki": 102400,
	}
	every text, amount in amounts {
		quantities.milli(text) == amount
		quantities.is_quantity(text)
	}
	quantities.milli("1Ei") / 1024 == quantities.milli("1Pi")
}

test_numbers if {
	amounts := {1: 1000, 0.5: 500, 0: 0, 128: 128000}
	every number, amount in amounts {
		quantities.milli(number) == amount
	}
}

test_what_is_no_quantity if {
	others := [
		"", "m", "Mi", "e3", "+", ".", "1 Gi", "1Zi", "1e", "1MB", "1ki", "1K", "ten", "1e333", "1e1.5", "１", "1Ki1", "0x1",
		"1234567890123456789", null, true, {}, ["1"],
	]
	every other in others {
		not quantities.is_quantity(other)
	}
}
