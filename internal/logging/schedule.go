package logging

import (
	"fmt"
	"strconv"
	"time"
)

// Schedule is when a file is put aside by the calendar.
type Schedule struct {
	set                              bool
	month, week                      bool
	dayOfMonth, weekday, hour, every int // every: minute of each hour, -1: not hourly
}

// ParseSchedule reads RabbitMQ's way of writing one: $D0 is each day at 0 h,
// $W0D23 each Sunday at 23 h, $M1D0 the first of each month at 0 h, $H30 half
// past each hour. "" is never.
func ParseSchedule(s string) (Schedule, error) {
	sc := Schedule{every: -1}
	if s == "" {
		return sc, nil
	}
	bad := fmt.Errorf("%q is not a time for rotation such as $D0, $W0D23, $M1D0 or $H30", s)
	if s[0] != '$' || len(s) < 3 {
		return sc, bad
	}
	for rest := s[1:]; rest != ""; {
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		v, err := strconv.Atoi(rest[1:n])
		if err != nil {
			return sc, bad
		}
		limit := map[byte]int{'D': 23, 'H': 59, 'W': 6, 'M': 31}[rest[0]]
		switch {
		case limit == 0 || v > limit || rest[0] == 'M' && v == 0:
			return sc, bad
		case rest[0] == 'D':
			sc.hour = v
		case rest[0] == 'H':
			sc.every = v
		case rest[0] == 'W':
			sc.week, sc.weekday = true, v
		case rest[0] == 'M':
			sc.month, sc.dayOfMonth = true, v
		}
		rest = rest[n:]
	}
	sc.set = true
	return sc, nil
}

// Next is the first time of the schedule after t; the zero time for never.
func (s Schedule) Next(t time.Time) time.Time {
	if !s.set {
		return time.Time{}
	}
	if s.every >= 0 {
		n := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), s.every, 0, 0, t.Location())
		if !n.After(t) {
			n = n.Add(time.Hour)
		}
		return n
	}
	for day := range 800 { // the 31st does not come each month
		n := time.Date(t.Year(), t.Month(), t.Day()+day, s.hour, 0, 0, 0, t.Location())
		if n.After(t) && (!s.week || int(n.Weekday()) == s.weekday) && (!s.month || n.Day() == s.dayOfMonth) {
			return n
		}
	}
	return time.Time{}
}
