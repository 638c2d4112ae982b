package kubepki_test

import (
	"testing"
	"time"

	"kubepki"
)

func TestNilIsAnErrorAndClosesWithoutOne(t *testing.T) {
	var (
		authorities *kubepki.Authorities
		issuer      *kubepki.Issuer
		pki         *kubepki.PKI
		plan        *kubepki.Plan
		store       *kubepki.Store
		request     *kubepki.Request
		review      *kubepki.Review
		info        *kubepki.ClusterInfo
		csr         *kubepki.CSR
		credential  *kubepki.Credential
	)
	for name, value := range map[string]interface{ Close() error }{
		"Authorities": authorities, "Issuer": issuer, "PKI": pki, "Plan": plan, "Store": store,
		"Request": request, "Review": review, "ClusterInfo": info,
	} {
		if err := value.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	whole := open(kubepki.CreateAuthorities(aCluster(), now))(t)
	machine := open(whole.First(aCluster(), aNode(), now))(t)
	service := kubepki.Profile{Role: kubepki.RoleService, Name: "web.shop.svc"}
	closed := map[string]func() error{
		"Authorities.Files": func() error { _, err := authorities.Files(); return err },
		"Issuer.Chain":      func() error { _, err := issuer.Chain(); return err },
		"Issuer.Issue":      func() error { _, err := issuer.Issue(aCluster(), service, now); return err },
		"PKI.Audit":         func() error { _, err := pki.Audit(nil, now); return err },
		"PKI.Save":          func() error { return pki.Save(kubepki.Layout{Directory: t.TempDir()}) },
		"Plan.Apply":        func() error { return plan.Apply(machine) },
		"Store.Load":        func() error { _, err := store.Load(); return err },
		"Store.Commit":      func() error { return store.Commit(machine) },
		"CreateAuthoritiesUnder": func() error {
			_, err := kubepki.CreateAuthoritiesUnder(nil, aCluster(), now)
			return err
		},
		"Authorities.Add": func() error { return whole.Add(kubepki.RoleEtcdCA, nil) },
		"SaveAll": func() error {
			return kubepki.SaveAll(kubepki.Placement{Layout: kubepki.Layout{Directory: "/"}})
		},
	}
	for name, call := range closed {
		t.Run(name, func(t *testing.T) { fails(t, call(), kubepki.ErrClosed, "is nil") })
	}
	missing := map[string]func() error{
		"credential": func() error { _, err := whole.Kubeconfig(aCluster(), credential); return err },
		"csr":        func() error { return csr.Approve("A", "b", now) },
		"approver": func() error {
			var approver *kubepki.Approver
			_, err := approver.Review(csr)
			return err
		},
	}
	for name, call := range missing {
		t.Run(name, func(t *testing.T) { fails(t, call(), kubepki.ErrNull, name) })
	}
	if _, err := csr.Sign("example.com/a", nil, time.Hour, now); err == nil {
		t.Error("a nil request is signed")
	}
}
