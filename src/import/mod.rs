//! Descriptions that other programs keep: [`KubeadmConfiguration`].

mod kubeadm;
mod schema;

pub use kubeadm::KubeadmConfiguration;
pub use schema::Remark;
