package api

import (
	"encoding/json"

	"github.com/warrenmq/warren/internal/broker/meta"
)

// clusterName is what it was called, or else what the configuration says.
func (a *API) clusterName() string {
	name := a.Config.ClusterName
	a.Broker.View(func(s *meta.State) {
		if p := s.GlobalParameter("cluster_name"); p != nil {
			var given string
			if json.Unmarshal(p.Value, &given) == nil {
				name = given
			}
		}
	})
	return name
}
