package kubepki

// #include <kubepki.h>
import "C"

import "unsafe"

// An Identity is whom Kubernetes sees in a client certificate.
type Identity struct {
	// User is empty where the API server sees none.
	User string
	// UID is what API servers read from Kubernetes 1.33 on; empty where there is none.
	UID string
	// Groups are the groups that the certificate names.
	Groups []string
	// Notes are what is to be known of it.
	Notes []Note
}

// A Note is one thing to be known of an identity.
type Note struct {
	ID   string // its stable name, such as authorization-bypassed
	Help string // what it means, in a sentence or two
}

// Identify gives the identity in the first of some certificates in PEM.
func Identify(certificatePEM []byte) (*Identity, error) {
	var identity *C.kubepki_identity
	err := failed(C.kubepki_identity_from_pem(unsafe.Pointer(&*first(certificatePEM)), length(certificatePEM),
		&identity))
	if err != nil {
		return nil, err
	}
	defer C.kubepki_identity_free(identity)
	who := &Identity{User: str(C.kubepki_identity_user(identity)), UID: str(C.kubepki_identity_uid(identity))}
	for i := range C.kubepki_identity_group_count(identity) {
		who.Groups = append(who.Groups, str(C.kubepki_identity_group_at(identity, i)))
	}
	for i := range C.kubepki_identity_note_count(identity) {
		note := C.kubepki_identity_note_at(identity, i)
		who.Notes = append(who.Notes, Note{ID: str(note.id), Help: str(note.help)})
	}
	return who, nil
}

// CheckKubeconfig checks that what a kubeconfig's current context refers to belongs together: that there is
// such a cluster and user, that the key is the certificate's, and that the authority issued that. Files that
// it names are not read.
func CheckKubeconfig(yaml []byte) error {
	return failed(C.kubepki_kubeconfig_check(unsafe.Pointer(&*first(yaml)), length(yaml)))
}
