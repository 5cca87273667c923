package sealed

import (
	"reflect"
	"testing"

	"github.com/warrenmq/warren/internal/term"
)

func FuzzReadTerm(f *testing.F) {
	for _, t := range []term.Term{term.Atom("x"), term.Binary("b"), term.List{term.Int(1), term.String("s")}, term.Tuple{term.Float(1.5), term.Int(-1 << 40)}} {
		b, err := appendTerm(nil, t)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, _, err := readTerm(b, 0)
		if err != nil {
			return
		}
		again, err := appendTerm(nil, v)
		if err != nil {
			return
		}
		if w, rest, err := readTerm(again, 0); err != nil || len(rest) > 0 || !reflect.DeepEqual(v, w) && v.String() != w.String() {
			t.Errorf("%s became %v (%v)", v, w, err)
		}
	})
}
