package client

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// What an operator says may have lines; a header may not.
func TestReason(t *testing.T) {
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("X-Reason")
		w.WriteHeader(http.StatusNoContent)
	}))
	defer s.Close()
	c, err := OverURL(s.URL, "guest", "guest", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Delete(context.Background(), Path("connections", "a -> b"), "bye\r\nX-Other: é"); err != nil || got != "bye  X-Other: é" {
		t.Errorf("%q, %v", got, err)
	}
}
