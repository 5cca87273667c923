package api

import "slices"

// table is all routes, by subject. Each file with handlers has its own part.
func (a *API) table() []*Route {
	return slices.Concat(
		a.loginRoutes(),
		a.nodeRoutes(),
		a.ctlRoutes(),
		a.messageRoutes(),
		a.hostRoutes(),
		a.userRoutes(),
		a.permissionRoutes(),
		a.vhostRoutes(),
		a.policyRoutes(),
		a.parameterRoutes(),
		a.exchangeRoutes(),
		a.queueRoutes(),
		a.bindingRoutes(),
		a.definitionRoutes(),
		a.clusterRoutes(),
		a.healthRoutes(),
		a.statsRoutes(),
		a.referenceRoutes(),
	)
}
