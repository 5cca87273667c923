package api

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/stats"
)

// session is a connection with what it says of itself.
type session struct {
	broker.Session
	info broker.SessionInfo
}

// sessions are the open connections that the user may see: who monitors sees
// all, others their own.
func (rq *Request) sessions() []session {
	vhost, one := rq.vars["vhost"]
	var out []session
	for _, s := range rq.API.Broker.Sessions() {
		i := s.Info()
		if !i.Opened || one && i.VHost != vhost || !rq.Monitor() && i.UserName != rq.User.Name {
			continue
		}
		out = append(out, session{s, i})
	}
	return out
}

func (a *API) connections(rq *Request) error {
	if _, ok := rq.vars["vhost"]; ok {
		if _, err := rq.VHost(); err != nil {
			return err
		}
	}
	ss, v := rq.sessions(), a.viewOf(rq)
	return List(rq, Rows[apitype.Connection]{
		N:     len(ss),
		Row:   func(i int) apitype.Connection { return a.connectionRow(&ss[i], &v) },
		Cheap: a.cheapConnections(ss, &v),
	})
}

// cheapConnections are the columns of a list of connections that can be had
// without the row.
func (a *API) cheapConnections(ss []session, v *view) map[string]func(int) Key {
	keys := map[string]func(int) Key{
		"name":         func(i int) Key { return Text(ss[i].info.Name) },
		"vhost":        func(i int) Key { return Text(ss[i].info.VHost) },
		"user":         func(i int) Key { return Text(ss[i].info.UserName) },
		"protocol":     func(i int) Key { return Text(ss[i].info.Protocol) },
		"timeout":      func(i int) Key { return Number(float64(ss[i].info.Timeout)) },
		"connected_at": func(i int) Key { return Number(float64(ss[i].info.ConnectedAt.UnixMilli())) },
		"node":         func(int) Key { return Text(a.Config.NodeName) },
	}
	if v.off {
		return keys
	}
	keys["state"] = func(i int) Key { return Text(ss[i].info.State) }
	keys["channels"] = func(i int) Key {
		if c := ss[i].info.Client; c != nil {
			return Number(float64(c.ChannelCount()))
		}
		return Number(0)
	}
	keys["recv_oct"] = func(i int) Key { return Number(float64(ss[i].Traffic().RecvBytes)) }
	keys["send_oct"] = func(i int) Key { return Number(float64(ss[i].Traffic().SendBytes)) }
	keys["recv_oct_details.rate"] = func(i int) Key { return Number(a.Stats.ConnectionRate(ss[i].Session, stats.RecvOct)) }
	keys["send_oct_details.rate"] = func(i int) Key { return Number(a.Stats.ConnectionRate(ss[i].Session, stats.SendOct)) }
	return keys
}

// findSession finds the path's connection among those that the user may see.
func (rq *Request) findSession(name string) (*session, error) {
	for _, s := range rq.API.Broker.Sessions() {
		i := s.Info()
		if !i.Opened || i.Name != name {
			continue
		}
		if !rq.Monitor() && i.UserName != rq.User.Name {
			return nil, accessRefused()
		}
		return &session{s, i}, nil
	}
	return nil, NotFound()
}

func (a *API) connection(rq *Request) error {
	s, err := rq.findSession(rq.Var("name"))
	if err != nil {
		return err
	}
	v := a.viewOf(rq)
	return rq.Reply(a.connectionRow(s, &v))
}

func (a *API) userConnections(rq *Request) error {
	rows := []apitype.UserConnection{}
	for _, s := range rq.sessions() {
		if s.info.UserName == rq.Var("user") {
			rows = append(rows, apitype.UserConnection{Name: s.info.Name, VHost: s.info.VHost, User: s.info.UserName, Node: a.Config.NodeName})
		}
	}
	return ListOf(rq, rows)
}

func (a *API) connectionRow(s *session, v *view) apitype.Connection {
	i := &s.info
	c := apitype.Connection{
		AuthMechanism: i.Mechanism, ChannelMax: i.ChannelMax, ClientProperties: wireTableJSON(i.Properties), ConnectedAt: i.ConnectedAt.UnixMilli(),
		FrameMax: i.FrameMax, Host: i.Host, Name: i.Name, Node: a.Config.NodeName, PeerHost: i.PeerHost, PeerPort: i.PeerPort, Port: i.Port,
		Protocol: i.Protocol, Timeout: i.Timeout, Type: "network", User: i.UserName, UserWhoPerformedAction: i.UserName, VHost: i.VHost,
	}
	if i.Direct {
		c.Type = "direct"
	}
	if p, ok := i.Properties.Get("connection_name"); ok {
		c.UserProvidedName, _ = wire.AsString(p)
	}
	if i.TLS != nil {
		describeTLS(&c, i.TLS)
	}
	if v.off {
		return c
	}
	t := s.Traffic()
	f := a.Stats.Connection(s.Session, v.ranges)
	c.ConnectionStats = &apitype.ConnectionStats{
		State: i.State, RecvCnt: int64(t.RecvCount), RecvOct: int64(t.RecvBytes), RecvOctDetails: detail(f, stats.RecvOct),
		SendCnt: int64(t.SendCount), SendOct: int64(t.SendBytes), SendOctDetails: detail(f, stats.SendOct), SendPend: t.SendPending,
	}
	if i.Client != nil {
		c.Channels = i.Client.ChannelCount()
	}
	return c
}

// describeTLS fills in what RabbitMQ says of a connection with TLS.
func describeTLS(c *apitype.Connection, t *tls.ConnectionState) {
	c.SSL = true
	c.SSLProtocol = map[uint16]string{tls.VersionTLS10: "tlsv1", tls.VersionTLS11: "tlsv1.1", tls.VersionTLS12: "tlsv1.2", tls.VersionTLS13: "tlsv1.3"}[t.Version]
	kx, cipher, hash := cipherParts(t.CipherSuite)
	c.SSLKeyExchange, c.SSLCipher, c.SSLHash = kx, cipher, hash
	if len(t.PeerCertificates) > 0 {
		p := t.PeerCertificates[0]
		c.PeerCertSubject, c.PeerCertIssuer, c.PeerCertValidity = p.Subject.String(), p.Issuer.String(), validity(p)
	}
}

func validity(c *x509.Certificate) string {
	const form = "2006-01-02T15:04:05Z"
	return fmt.Sprintf("%s - %s", c.NotBefore.UTC().Format(form), c.NotAfter.UTC().Format(form))
}

// cipherParts takes TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 apart.
func cipherParts(id uint16) (kx, cipher, hash string) {
	name := strings.ToLower(strings.TrimPrefix(tls.CipherSuiteName(id), "TLS_"))
	kx, rest, ok := strings.Cut(name, "_with_")
	if !ok {
		kx, rest = "any", name // TLS 1.3
	}
	if i := strings.LastIndexByte(rest, '_'); i > 0 {
		return kx, rest[:i], rest[i+1:]
	}
	return kx, rest, ""
}
