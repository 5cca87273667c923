package conformance

// limits are those of virtual hosts and users.
func (g *generator) limits() {
	vh := []string{`http PUT /api/vhosts/%v {}`, `http PUT /api/permissions/%v/guest {"configure":".*","write":".*","read":".*"}`}
	user := []string{putUser, grant(".*", ".*", ".*")}
	add := func(name string, before []string, lines ...string) {
		g.add("limits/"+name, append(append([]string{}, before...), lines...)...)
	}
	add("vhost-max-connections-0", vh, `http PUT /api/vhost-limits/%v/max-connections {"value":0}`, "sleep 300 ;; open vhost=%v")
	add("vhost-max-connections-freed", vh, `http PUT /api/vhost-limits/%v/max-connections {"value":1}`,
		"sleep 300 ;; open vhost=%v ;; close ;; sleep 500 ;; @B open vhost=%v")
	add("vhost-max-connections-unlimited", vh, `http PUT /api/vhost-limits/%v/max-connections {"value":-1}`,
		"sleep 300 ;; open vhost=%v ;; @B open vhost=%v")
	add("vhost-max-queues", vh, `http PUT /api/vhost-limits/%v/max-queues {"value":2}`,
		"sleep 300 ;; open vhost=%v ;; qd %a ;; qd %b ;; qd %a ;; qd %c ;; chan ;; qx %b ;; qd %c")
	add("vhost-max-queues-bad-argument", vh, `http PUT /api/vhost-limits/%v/max-queues {"value":0}`,
		"sleep 300 ;; open vhost=%v ;; qd %a args={x-max-length:-1}")
	add("vhost-max-queues-server-named", vh, `http PUT /api/vhost-limits/%v/max-queues {"value":0}`,
		"sleep 300 ;; open vhost=%v ;; qd - exclusive ;; quiet 100")
	add("vhost-max-queues-cleared", vh, `http PUT /api/vhost-limits/%v/max-queues {"value":0}`,
		`http DELETE /api/vhost-limits/%v/max-queues`, "sleep 300 ;; open vhost=%v ;; qd %a exclusive")
	add("user-max-connections", user, `http PUT /api/user-limits/%u/max-connections {"value":1}`,
		"sleep 300 ;; open user=%u pass=p ;; sleep 300 ;; @B open user=%u pass=p")
	add("user-max-connections-0", user, `http PUT /api/user-limits/%u/max-connections {"value":0}`, "sleep 300 ;; open user=%u pass=p")
	add("user-max-connections-freed", user, `http PUT /api/user-limits/%u/max-connections {"value":1}`,
		"sleep 300 ;; open user=%u pass=p ;; close ;; sleep 500 ;; @B open user=%u pass=p")
	add("user-max-channels-0", user, `http PUT /api/user-limits/%u/max-channels {"value":0}`, "sleep 300 ;; open user=%u pass=p noch ;; chan ;; quiet 100")
	add("user-max-channels-freed", user, `http PUT /api/user-limits/%u/max-channels {"value":1}`,
		"sleep 300 ;; open user=%u pass=p ;; channel.close reply-code=200 reply-text=bye ;; sleep 500 ;; @A.2 chan")
	add("user-max-channels-two-connections", user, `http PUT /api/user-limits/%u/max-channels {"value":1}`,
		"sleep 300 ;; open user=%u pass=p ;; sleep 200 ;; @B open user=%u pass=p noch ;; @B chan ;; quiet 100")
	add("user-both-limits", user, `http PUT /api/vhosts/%v {}`, `http PUT /api/permissions/%v/%u {"configure":".*","write":".*","read":".*"}`,
		`http PUT /api/vhost-limits/%v/max-connections {"value":0}`, `http PUT /api/user-limits/%u/max-connections {"value":0}`,
		"sleep 300 ;; open user=%u pass=p vhost=%v")
	add("vhost-limit-without-access", user, `http PUT /api/vhosts/%v {}`, `http PUT /api/vhost-limits/%v/max-connections {"value":0}`,
		"sleep 300 ;; open user=%u pass=p vhost=%v")
	add("user-limit-without-access", user, `http PUT /api/vhosts/%v {}`, `http PUT /api/user-limits/%u/max-connections {"value":0}`,
		"sleep 300 ;; open user=%u pass=p vhost=%v")
}
