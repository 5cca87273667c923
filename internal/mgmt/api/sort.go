package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/bits"
	"reflect"
	"slices"
	"strings"
)

// Key is what rows are sorted by. Values of different kinds are in Erlang's
// order: numbers, words (booleans, null), lists, texts. What is not there is 0.
type Key struct {
	rank uint8
	num  float64
	text string
}

const (
	rankNumber uint8 = iota
	rankWord
	rankList
	rankText
)

// Text is the key of a text.
func Text(s string) Key { return Key{rank: rankText, text: s} }

// Number is the key of a number.
func Number(f float64) Key { return Key{num: f} }

func (k *Key) compare(l Key) int {
	if k.rank != l.rank {
		return cmp.Compare(k.rank, l.rank)
	}
	if c := cmp.Compare(k.num, l.num); c != 0 {
		return c
	}
	return strings.Compare(k.text, l.text)
}

// keyOf is the key of a value at a path below v.
func (a *API) keyOf(v reflect.Value, path []string) Key {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			if len(path) == 0 {
				return Key{rank: rankWord, text: "null"}
			}
			return Key{}
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return Key{}
	}
	switch {
	case marshals(v):
		return a.keyOfOpaque(v, path)
	case v.Kind() == reflect.Struct && len(path) > 0:
		f := a.structOf(v.Type()).byName[path[0]]
		if f == nil {
			return Key{}
		}
		x, ok := f.get(v)
		if !ok {
			return Key{}
		}
		return a.keyOf(x, path[1:])
	case v.Kind() == reflect.Map && len(path) > 0 && v.Type().Key().Kind() == reflect.String:
		return a.keyOf(v.MapIndex(reflect.ValueOf(path[0]).Convert(v.Type().Key())), path[1:])
	case len(path) > 0:
		return Key{}
	}
	return plainKey(v)
}

func plainKey(v reflect.Value) Key {
	switch v.Kind() {
	case reflect.String:
		if n, ok := v.Interface().(json.Number); ok {
			f, _ := n.Float64()
			return Number(f)
		}
		return Text(v.String())
	case reflect.Bool:
		if v.Bool() {
			return Key{rank: rankWord, text: "true"}
		}
		return Key{rank: rankWord, text: "false"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Number(float64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Number(float64(v.Uint()))
	case reflect.Float32, reflect.Float64:
		return Number(v.Float())
	}
	raw, _ := json.Marshal(v.Interface())
	return Key{rank: rankList, text: string(raw)}
}

func (a *API) keyOfOpaque(v reflect.Value, path []string) Key {
	raw, err := json.Marshal(v.Interface())
	if err != nil {
		return Key{}
	}
	var x any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&x) != nil {
		return Key{}
	}
	return a.keyOf(reflect.ValueOf(x), path)
}

// pick puts those at the places [from, to) of what order would be if it were
// sorted there, in their order. compare must tell any two apart. A page of a list
// of very many takes little more than a look at each.
func pick(order []int, from, to int, compare func(i, j int) int) {
	lo, hi := 0, len(order)
	// Each round parts what is looked at. Bad luck has its bound.
	for rounds := 2 * bits.Len(uint(hi)); hi-lo > 64 && rounds > 0 && (lo < from || hi > to); rounds-- {
		cut := lo + part(order[lo:hi], compare)
		switch {
		case cut < from:
			lo = cut + 1
		case cut >= to:
			hi = cut
		default: // within the page: the sort does the rest
			pick(order[lo:cut], max(from-lo, 0), cut-lo, compare)
			pick(order[cut+1:hi], 0, min(to, hi)-cut-1, compare)
			return
		}
	}
	slices.SortFunc(order[lo:hi], compare)
}

// part moves what is less than one of them to its left, the rest to its right,
// and returns its place.
func part(order []int, compare func(i, j int) int) int {
	n := len(order)
	mid := []int{order[n/4], order[n/2], order[n-1-n/4]}
	slices.SortFunc(mid, compare)
	at := slices.Index(order, mid[1])
	order[at], order[n-1] = order[n-1], order[at]
	place := 0
	for i := range n - 1 {
		if compare(order[i], mid[1]) < 0 {
			order[i], order[place] = order[place], order[i]
			place++
		}
	}
	order[place], order[n-1] = order[n-1], order[place]
	return place
}
