package kubepki

// #include <kubepki.h>
import "C"

import (
	"crypto"
	"crypto/tls"
	"io/fs"
	"time"
	"unsafe"
)

// A PKI is what one machine holds: credentials and files. Any number of goroutines may use it at once;
// Attach, [Plan.Apply], [Store.Commit] and Close wait until they are alone.
type PKI struct{ handle *handle[*C.kubepki_pki] }

// Create makes a new cluster's authorities, and all that its first control-plane node holds.
func Create(cluster Cluster, node Node, now time.Time) (*PKI, error) {
	var out *C.kubepki_pki
	err := describe(&cluster, &node, func(cluster *C.kubepki_cluster, node *C.kubepki_node) error {
		return failed(C.kubepki_pki_create(cluster, node, moment(now), &out))
	})
	return takePKI(out, err)
}

// Load reads what a machine's directory holds, whatever that is: files that are missing or cannot be read are
// for [PKI.Audit] to report. Only a directory that cannot be read makes it fail.
func Load(layout Layout) (*PKI, error) {
	var out *C.kubepki_pki
	err := layout.use(func(layout *C.kubepki_layout) error {
		return failed(C.kubepki_pki_load(layout, &out))
	})
	return takePKI(out, err)
}

// FromFiles takes the files of a machine from memory. Each is what its Path says, which may be there once;
// Role, Part and Mode are passed over. What is missing or cannot be read is for [PKI.Audit] to report.
func FromFiles(files Files) (*PKI, error) {
	var out *C.kubepki_pki
	err := files.use(func(files *C.kubepki_files) error {
		return failed(C.kubepki_pki_from_files(files, &out))
	})
	return takePKI(out, err)
}

func takePKI(pki *C.kubepki_pki, err error) (*PKI, error) {
	h, err := own(pki, err, func(pki *C.kubepki_pki) { C.kubepki_pki_free(pki) })
	if err != nil {
		return nil, err
	}
	return &PKI{h}, nil
}

func (p *PKI) of() *handle[*C.kubepki_pki] {
	if p == nil {
		return nil
	}
	return p.handle
}

// Close overwrites the keys. It does nothing the second time.
func (p *PKI) Close() error { return p.of().close() }

// Files gives the machine's files, authorities first, then in the order of the role table.
func (p *PKI) Files() (Files, error) {
	var out *C.kubepki_files
	err := p.of().look(func(pki *C.kubepki_pki) error { return failed(C.kubepki_pki_files(pki, &out)) })
	return takeFiles(out, err)
}

// FS gives the files as they are now as a file system: pki/ca.crt, admin.conf. To write them take Save:
// os.CopyFS does not keep modes, so that all could read the keys.
func (p *PKI) FS() (fs.FS, error) {
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	return files.FS(), nil
}

// Save writes every file, with its mode; directories are made as needed. None that is there is replaced: when
// one differs, that is ErrExists, and nothing is written at all.
func (p *PKI) Save(layout Layout) error {
	return layout.use(func(layout *C.kubepki_layout) error {
		return p.of().look(func(pki *C.kubepki_pki) error {
			return failed(C.kubepki_pki_save(pki,
				layout))
		})
	})
}

// A Placement is a PKI and where its files are to lie.
type Placement struct {
	PKI    *PKI
	Layout Layout
}

// SaveAll writes the files of several machines as [PKI.Save] does: all of them, or when one cannot be written
// or differs from one that is there, none.
func SaveAll(all ...Placement) error {
	handles := make([]*handle[*C.kubepki_pki], len(all))
	layouts := make([]*C.kubepki_layout, len(all))
	for i, one := range all {
		layout, err := one.Layout.make()
		if err != nil {
			return err
		}
		defer C.kubepki_layout_free(layout)
		handles[i], layouts[i] = one.PKI.of(), layout
	}
	return lookAll(handles, func(pkis []*C.kubepki_pki) error {
		return failed(C.kubepki_pki_save_all(unsafe.SliceData(pkis), unsafe.SliceData(layouts),
			C.size_t(len(all))))
	})
}

// Authorities gives the authorities that the machine holds, as a copy: on a control-plane node with their
// keys, elsewhere only the certificates that it needs.
func (p *PKI) Authorities() (*Authorities, error) {
	var out *C.kubepki_authorities
	err := p.of().look(func(pki *C.kubepki_pki) error {
		return failed(C.kubepki_pki_authorities(pki,
			&out))
	})
	return takeAuthorities(out, err)
}

// Attach lets signer sign for an authority whose key is not here: RoleKubernetesCA, RoleEtcdCA or
// RoleFrontProxyCA. [Issuer] says what is asked of it.
func (p *PKI) Attach(role Role, signer crypto.Signer) error {
	return useSigner(signer, func(signer *C.kubepki_signer) error {
		return p.of().change(func(pki *C.kubepki_pki) error {
			return failed(C.kubepki_pki_attach(pki, chars(string(role)), size(string(role)), signer))
		})
	})
}

// Credential gives the credential of a role, also one that lies in a kubeconfig: ErrAbsent when there is
// none.
func (p *PKI) Credential(role Role) (*Credential, error) {
	var out *C.kubepki_credential
	err := p.of().look(func(pki *C.kubepki_pki) error {
		return failed(C.kubepki_pki_credential(pki, chars(string(role)), size(string(role)), &out))
	})
	return takeCredential(out, err)
}

// Certificate gives the credential of a role for crypto/tls, with the certificate as its Leaf.
func (p *PKI) Certificate(role Role) (tls.Certificate, error) {
	credential, err := p.Credential(role)
	if err != nil {
		return tls.Certificate{}, err
	}
	return credential.TLS()
}

// Cluster gives the cluster, for the kubeconfig of a user: as it was described, or where the machine was
// loaded, as far as its files tell. That is no whole description, so an audit by what the files tell is asked
// for by nil, not by this. ErrAbsent where they do not tell the endpoint. It can be used until the PKI is
// closed.
func (p *PKI) Cluster() (Cluster, error) {
	cluster := Cluster{base: func() (out *C.kubepki_cluster, err error) {
		err = p.of().look(func(pki *C.kubepki_pki) error {
			return failed(C.kubepki_pki_cluster(pki,
				&out))
		})
		return out, err
	}}
	return cluster, cluster.use(func(*C.kubepki_cluster) error { return nil })
}

// Arguments gives the arguments that tell a component of this machine's files: each --NAME=VALUE. A machine
// that was made here has its files in /etc/kubernetes, one that was loaded where they are.
// [Expected.Arguments] is for a machine that is only described.
func (p *PKI) Arguments(component Component) ([]string, error) {
	var out *C.kubepki_list
	err := p.of().look(func(pki *C.kubepki_pki) error {
		return failed(C.kubepki_pki_arguments(pki, chars(string(component)), size(string(component)), &out))
	})
	return list(out, err)
}

// Tree shows the trust tree, for people: each authority, and under it what it signed.
func (p *PKI) Tree() (string, error) {
	var out *C.kubepki_buffer
	err := p.of().look(func(pki *C.kubepki_pki) error { return failed(C.kubepki_pki_tree(pki, &out)) })
	return string(buffer(out)), err
}

// A Store is a directory under a lock, from loading to committing. Any number of goroutines may use it at
// once.
type Store struct {
	handle *handle[*C.kubepki_store]
}

// Open locks a directory, such as /etc/kubernetes; it is made if it is not there. ErrLocked when another
// store has it open.
func Open(layout Layout) (*Store, error) {
	var out *C.kubepki_store
	err := layout.use(func(layout *C.kubepki_layout) error {
		return failed(C.kubepki_store_open(layout, &out))
	})
	h, err := own(out, err, func(store *C.kubepki_store) { C.kubepki_store_free(store) })
	if err != nil {
		return nil, err
	}
	return &Store{h}, nil
}

func (s *Store) of() *handle[*C.kubepki_store] {
	if s == nil {
		return nil
	}
	return s.handle
}

// Close unlocks the directory. It does nothing the second time.
func (s *Store) Close() error { return s.of().close() }

// Load reads what the directory holds, whatever that is, as [Load] does.
func (s *Store) Load() (*PKI, error) {
	var out *C.kubepki_pki
	err := s.of().look(func(store *C.kubepki_store) error {
		return failed(C.kubepki_store_load(store,
			&out))
	})
	return takePKI(out, err)
}

// Commit writes what has changed in pki since it was loaded or made, and nothing else: all of it, or when one
// file cannot be written, none. ErrChanged when a file is no longer what was loaded.
func (s *Store) Commit(pki *PKI) error {
	return s.of().look(func(store *C.kubepki_store) error {
		return pki.of().change(func(pki *C.kubepki_pki) error {
			return failed(C.kubepki_store_commit(store, pki))
		})
	})
}
