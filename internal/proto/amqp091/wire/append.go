package wire

import (
	"encoding/binary"
	"slices"
)

const maxShortstr = 255

// Bytes is a name or key as a caller may keep it.
type Bytes interface{ ~string | ~[]byte }

func appendMethodID(dst []byte, id MethodID) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(id))
}

func appendOctet(dst []byte, v uint8) []byte         { return append(dst, v) }
func appendShort(dst []byte, v uint16) []byte        { return binary.BigEndian.AppendUint16(dst, v) }
func appendLong(dst []byte, v uint32) []byte         { return binary.BigEndian.AppendUint32(dst, v) }
func appendLonglong(dst []byte, v uint64) []byte     { return binary.BigEndian.AppendUint64(dst, v) }
func appendTimestamp(dst []byte, v Timestamp) []byte { return appendLonglong(dst, uint64(v)) }
func appendTable(dst []byte, t Table) []byte         { return AppendTable(dst, t) }

func appendShortstr(dst []byte, s string) []byte {
	s = s[:min(len(s), maxShortstr)]
	return append(append(dst, byte(len(s))), s...)
}

func appendLongstr(dst []byte, s string) []byte {
	return append(appendLong(dst, uint32(len(s))), s...)
}

// bit is v in the given place of an octet.
func bit(v bool, place uint) byte {
	if v {
		return 1 << place
	}
	return 0
}

// extend makes dst n bytes longer; what the new bytes hold is for the caller to write.
func extend(dst []byte, n int) []byte { return slices.Grow(dst, n)[:len(dst)+n] }

// shortLen is the length of s as a short string, without its length octet.
func shortLen[S Bytes](s S) int { return min(len(s), maxShortstr) }

// putShortstr writes a short string of n = shortLen(s) bytes and returns what follows it.
func putShortstr[S Bytes](b []byte, s S, n int) []byte {
	b[0] = byte(n)
	copy(b[1:1+n], s)
	return b[1+n:]
}
