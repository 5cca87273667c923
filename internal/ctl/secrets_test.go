package ctl

import (
	"strings"
	"testing"
)

// A value that 3.10.8's encode made of the atom x with the passphrase "pass".
const sealedX = `{encrypted,<<"cTA3TfuFbFNrRyAD3xywZvEZFzAIQ9815kpI8tRPA4kwXmyOmsdbpk+asF0m5ljU">>}`

func TestDecodesRabbitMQs(t *testing.T) {
	if code, out, errs := run(t, Ctl, "-q", "decode", sealedX, "pass"); code != 0 || out != "x\n" {
		t.Errorf("%d %q %q", code, out, errs)
	}
	for _, argv := range [][]string{{sealedX, "wrong"}, {`{encrypted,<<"bad">>}`, "pass"}, {"encrypted:xyz", "pass"}, {sealedX, "pass", "--hash", "sha512"}} {
		code, _, errs := run(t, Ctl, append([]string{"-q", "decode"}, argv...)...)
		if code != 69 || !strings.Contains(errs, "Failed to decrypt the value") {
			t.Errorf("%q: %d %q", argv, code, errs)
		}
	}
}

func TestEncodeDecode(t *testing.T) {
	for _, value := range []string{"x", `<<"secret">>`, `"text"`, "42", "[a,{b,-3},\"ü\"]", "70000", "-9000000000"} {
		for _, opts := range [][]string{nil, {"--cipher", "aes_128_cbc", "--hash", "sha", "--iterations", "10"}} {
			_, sealed, errs := run(t, Ctl, append([]string{"-q", "encode", value, "pass"}, opts...)...)
			_, got, _ := run(t, Ctl, append([]string{"-q", "decode", strings.TrimSpace(sealed), "pass"}, opts...)...)
			if strings.TrimSpace(got) != value {
				t.Errorf("%s became %s by way of %s %s", value, got, sealed, errs)
			}
		}
	}
	_, sealed, _ := run(t, Ctl, "-q", "encrypt_conf_value", "s3cret", "pass")
	if _, got, _ := run(t, Ctl, "-q", "decrypt_conf_value", strings.TrimSpace(sealed), "pass"); !strings.Contains(got, "s3cret") {
		t.Errorf("%s became %s", sealed, got)
	}
	for _, wrong := range [][]string{{"--cipher", "nope"}, {"--hash", "nope"}, {"--iterations", "0"}} {
		if code, _, errs := run(t, Ctl, append([]string{"encode", "x", "pass"}, wrong...)...); code != 65 || !strings.Contains(errs, "The requested") {
			t.Errorf("%q: %d %q", wrong, code, errs)
		}
	}
}
