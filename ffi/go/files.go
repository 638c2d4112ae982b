package kubepki

// #include <kubepki.h>
import "C"

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// A File is one file of a machine, in memory.
type File struct {
	// Role and Part say what it is; both are empty where the library has not said so.
	Role Role
	Part Part
	// Path is below the directory of the machine's Kubernetes files: pki/apiserver.crt, admin.conf.
	Path string
	// Mode is 0600 for everything but certificates, which are 0644, or as it was found.
	Mode fs.FileMode
	// Contents is PEM or YAML.
	Contents Secret
}

// Files are the files of one machine. The keys among them are the cluster: carry them over an encrypted
// channel only.
type Files []File

// takeFiles copies and frees.
func takeFiles(f *C.kubepki_files, err error) (Files, error) {
	if err != nil {
		return nil, err
	}
	defer C.kubepki_files_free(f)
	files := make(Files, C.kubepki_files_count(f))
	for i := range files {
		file := C.kubepki_files_at(f, C.size_t(i))
		files[i] = File{
			Role:     Role(str(file.role)),
			Part:     Part(str(file.part)),
			Path:     str(file.path),
			Mode:     fs.FileMode(file.mode).Perm(),
			Contents: NewSecret(octets(unsafe.Pointer(file.bytes.data), file.bytes.len)),
		}
	}
	return files, nil
}

// use calls with the files as C has them: paths and contents.
func (files Files) use(call func(*C.kubepki_files) error) error {
	var f *C.kubepki_files
	if err := failed(C.kubepki_files_new(&f)); err != nil {
		return err
	}
	defer C.kubepki_files_free(f)
	for _, file := range files {
		err := failed(C.kubepki_files_add(f, chars(file.Path), size(file.Path),
			unsafe.Pointer(&*first(file.Contents.Bytes())), length(file.Contents.Bytes())))
		if err != nil {
			return err
		}
	}
	return call(f)
}

// FS gives the files as a file system. It holds no copies: it changes when their contents are overwritten.
// os.CopyFS does not keep modes, so that all could read keys that it has written.
func (files Files) FS() fs.FS {
	all := tree{".": {name: ".", mode: fs.ModeDir | 0o755}}
	for _, file := range files {
		all.add(strings.TrimPrefix(path.Clean(file.Path), "/"), &entry{mode: file.Mode.Perm(),
			contents: file.Contents})
	}
	return all
}

// A tree has everything by its path.
type tree map[string]*entry

// add puts an entry into its directory, which is made if it is not there. What no file system could have is
// left out: that gives false.
func (t tree) add(name string, e *entry) bool {
	if known, exists := t[name]; exists {
		return known.IsDir() && e.IsDir()
	}
	directory := path.Dir(name)
	if !fs.ValidPath(name) || !t.add(directory, &entry{mode: fs.ModeDir | 0o755}) {
		return false
	}
	e.name = path.Base(name)
	t[name] = e
	parent := t[directory]
	at, _ := slices.BinarySearchFunc(parent.entries, e.name, func(one fs.DirEntry, name string) int {
		return strings.Compare(one.Name(), name)
	})
	parent.entries = slices.Insert(parent.entries, at, fs.DirEntry(e))
	return true
}

func (t tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	e, known := t[name]
	switch {
	case !known:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case e.IsDir():
		return &openDirectory{entry: e}, nil
	default:
		return &openFile{entry: e, Reader: bytes.NewReader(e.contents.Bytes())}, nil
	}
}

// An entry is a file or a directory.
type entry struct {
	name     string
	mode     fs.FileMode
	contents Secret
	entries  []fs.DirEntry
}

func (e *entry) Name() string               { return e.name }
func (e *entry) Size() int64                { return int64(len(e.contents.Bytes())) }
func (e *entry) Mode() fs.FileMode          { return e.mode }
func (e *entry) Type() fs.FileMode          { return e.mode.Type() }
func (e *entry) ModTime() time.Time         { return time.Time{} }
func (e *entry) IsDir() bool                { return e.mode.IsDir() }
func (e *entry) Sys() any                   { return nil }
func (e *entry) Info() (fs.FileInfo, error) { return e, nil }
func (e *entry) Stat() (fs.FileInfo, error) { return e, nil }
func (e *entry) Close() error               { return nil }
func (e *entry) String() string             { return fs.FormatFileInfo(e) }

type openFile struct {
	*entry
	*bytes.Reader
}

// Size is that of both.
func (f *openFile) Size() int64 { return f.entry.Size() }

type openDirectory struct {
	*entry
	read int
}

func (d *openDirectory) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

func (d *openDirectory) ReadDir(count int) ([]fs.DirEntry, error) {
	rest := d.entries[d.read:]
	if count > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(count, len(rest))]
	}
	d.read += len(rest)
	return slices.Clone(rest), nil
}
