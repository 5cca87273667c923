package ui_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	entry   = regexp.MustCompile(`(?m)^  '([^']+)': '(.*)',$`)
	use     = regexp.MustCompile(`\b[tk]\('([^']+)'`)
	unclear = regexp.MustCompile("\\b[tk]\\([^')][^)]*\\)")
	filled  = regexp.MustCompile(`\{\w+\}`)
)

// dictionary reads a module of words.
func dictionary(t *testing.T, language string) map[string]string {
	t.Helper()
	text := read(t, "js/text/"+language+".js")
	words := make(map[string]string)
	for _, m := range entry.FindAllStringSubmatch(text, -1) {
		if _, twice := words[m[1]]; twice {
			t.Errorf("%s: %s is there twice", language, m[1])
		}
		words[m[1]] = m[2]
	}
	if lines := strings.Count(text, "\n  '"); lines != len(words) {
		t.Errorf("%s: %d lines, of which %d can be read", language, lines, len(words))
	}
	return words
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("static/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// sources are the modules that have words to show.
func sources(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := fs.WalkDir(os.DirFS("static"), "js", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Dir(name) != "js/text" && name != "js/i18n.js" {
			all[name] = read(t, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDictionariesHaveTheSameKeys(t *testing.T) {
	en, zh := dictionary(t, "en"), dictionary(t, "zh")
	for key, text := range en {
		other, ok := zh[key]
		if !ok {
			t.Errorf("%s is missing in Chinese", key)
			continue
		}
		a, b := filled.FindAllString(text, -1), filled.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s fills in %v in English, %v in Chinese", key, a, b)
		}
	}
	for key := range zh {
		if _, ok := en[key]; !ok {
			t.Errorf("%s is missing in English", key)
		}
	}
}

func TestEveryKeyUsedIsThere(t *testing.T) {
	en := dictionary(t, "en")
	used := make(map[string]bool)
	for name, text := range sources(t) {
		for _, m := range use.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
			if _, ok := en[m[1]]; !ok {
				t.Errorf("%s: no text for %s", name, m[1])
			}
		}
		if m := unclear.FindString(text); m != "" {
			t.Errorf("%s: %s: keys are written out; a key that varies is marked with k() and translated with tx()", name, m)
		}
	}
	for key := range en {
		if !used[key] {
			t.Errorf("nothing uses %s", key)
		}
	}
}

// What would let data become markup, or need a weaker policy, is not used at all.
func TestNothingIsInserted(t *testing.T) {
	bad := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\('style'|javascript:|https?://`)
	allowed := "http://www.w3.org/2000/svg"
	for name, text := range sources(t) {
		if m := bad.FindString(strings.ReplaceAll(text, allowed, "")); m != "" {
			t.Errorf("%s has %s", name, m)
		}
	}
	html := read(t, "index.html")
	if m := regexp.MustCompile(`<style|style=| on\w+=|<script>|https?://`).FindString(html); m != "" {
		t.Errorf("index.html has %s", m)
	}
}
