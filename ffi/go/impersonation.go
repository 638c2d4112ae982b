package kubepki

// #include <kubepki.h>
import "C"

import (
	"maps"
	"net/textproto"
	"slices"
)

// An Impersonation is the user that a client asks the API server to take it for, once it has said who it is
// itself. [ImpersonatorRole] allows that for all users.
type Impersonation struct {
	// User is the name of a user of whatever kind: jane, system:node:cp-1,
	// system:serviceaccount:NAMESPACE:NAME. It is required.
	User string
	// Groups are the groups that the user is in. Without any the API server adds those that follow from the
	// name, no others that the user has.
	Groups []string
	UID    string
	// Extra has values by keys in lower case.
	Extra map[string][]string
}

// Headers gives the headers of a request to the API server that ask for it, for [net/http.Header].
func (i Impersonation) Headers() (map[string][]string, error) {
	headers := textproto.MIMEHeader{}
	err := i.use(func(impersonation *C.kubepki_impersonation) error {
		for n := range C.kubepki_impersonation_header_count(impersonation) {
			header := C.kubepki_impersonation_header_at(impersonation, n)
			headers.Add(str(header.name), str(header.value))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return headers, nil
}

// Roles gives the roles that allow it, of this name, each in YAML: a ClusterRole, and where the user is a
// service account a Role in its namespace. [RoleBinding] gives them to somebody.
func (i Impersonation) Roles(name string) ([]string, error) {
	var out *C.kubepki_list
	err := i.use(func(impersonation *C.kubepki_impersonation) error {
		return failed(C.kubepki_impersonation_roles(impersonation, chars(name), size(name), &out))
	})
	return list(out, err)
}

func (i *Impersonation) use(call func(*C.kubepki_impersonation) error) error {
	var impersonation *C.kubepki_impersonation
	var a attempt
	a.do(C.kubepki_impersonation_new(chars(i.User), size(i.User), &impersonation))
	if a.err != nil {
		return a.err
	}
	defer C.kubepki_impersonation_free(impersonation)
	for _, group := range i.Groups {
		a.do(C.kubepki_impersonation_add_group(impersonation, chars(group), size(group)))
	}
	if i.UID != "" {
		a.do(C.kubepki_impersonation_set_uid(impersonation, chars(i.UID), size(i.UID)))
	}
	for _, key := range slices.Sorted(maps.Keys(i.Extra)) {
		for _, value := range i.Extra[key] {
			a.do(C.kubepki_impersonation_add_extra(impersonation, chars(key), size(key), chars(value),
				size(value)))
		}
	}
	if a.err != nil {
		return a.err
	}
	return call(impersonation)
}
