package kubepki

// A Role is one row of the role table: what a certificate, a key pair or a kubeconfig is for. It is unique on
// one machine.
type Role string

const (
	RoleKubernetesCA           Role = "kubernetes-ca"
	RoleEtcdCA                 Role = "etcd-ca"
	RoleFrontProxyCA           Role = "front-proxy-ca"
	RoleRootCA                 Role = "root-ca"
	RoleIntermediate           Role = "intermediate"
	RoleServiceAccount         Role = "service-account" // a key pair, no certificate
	RoleAPIServer              Role = "kube-apiserver"
	RoleAPIServerKubeletClient Role = "kube-apiserver-kubelet-client"
	RoleAPIServerEtcdClient    Role = "kube-apiserver-etcd-client"
	RoleFrontProxyClient       Role = "front-proxy-client"
	RoleFrontProxyServer       Role = "front-proxy-server"
	RoleEtcdServer             Role = "etcd-server"
	RoleEtcdPeer               Role = "etcd-peer"
	RoleEtcdHealthcheckClient  Role = "etcd-healthcheck-client"
	RoleKubeletServer          Role = "kubelet-server"
	RoleKubeletClient          Role = "kubelet-client"
	RoleAdmin                  Role = "admin"
	RoleSuperAdmin             Role = "super-admin"
	RoleControllerManager      Role = "controller-manager"
	RoleScheduler              Role = "scheduler"
	RoleKubeProxy              Role = "kube-proxy"
	RoleService                Role = "service" // a workload's serving certificate
	RoleUser                   Role = "user"
)

// A Part says what a file of a role holds.
type Part string

const (
	PartCertificate Part = "certificate"
	PartKey         Part = "key"
	PartPublicKey   Part = "public-key"
	PartKubeconfig  Part = "kubeconfig"
)

// A Component is a program that is given files of the PKI.
type Component string

const (
	APIServer         Component = "kube-apiserver"
	ControllerManager Component = "kube-controller-manager"
	Scheduler         Component = "kube-scheduler"
	Kubelet           Component = "kubelet"
	Etcd              Component = "etcd"
	Etcdctl           Component = "etcdctl"
)
