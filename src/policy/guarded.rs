//! The fields that a mutation may not raise unless its policy says so (R15): what `mayChange` in METADATA names. What
//! raising means for each is the guard's (`review`).

use serde::Deserialize;

/// A guarded field, called as Kubernetes calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GuardedField {
    /// `securityContext.allowPrivilegeEscalation`.
    AllowPrivilegeEscalation,
    /// `securityContext.appArmorProfile`, and the annotations of old.
    AppArmorProfile,
    /// `automountServiceAccountToken`, and projected tokens.
    AutomountServiceAccountToken,
    /// `securityContext.capabilities`.
    Capabilities,
    /// A container that was not there.
    Containers,
    /// `hostIPC`.
    #[serde(rename = "hostIPC")]
    HostIpc,
    /// `hostNetwork`.
    HostNetwork,
    /// `hostPID`.
    #[serde(rename = "hostPID")]
    HostPid,
    /// `ports[].hostPort`.
    HostPort,
    /// `host` of probes and lifecycle hooks.
    HostProbes,
    /// `securityContext.windowsOptions.hostProcess`.
    HostProcess,
    /// `hostUsers`.
    HostUsers,
    /// `image` of containers, and of volumes.
    Images,
    /// `securityContext.privileged`.
    Privileged,
    /// `securityContext.procMount`.
    ProcMount,
    /// `securityContext.readOnlyRootFilesystem`.
    ReadOnlyRootFilesystem,
    /// `securityContext.runAsNonRoot`.
    RunAsNonRoot,
    /// `securityContext.runAsUser`.
    RunAsUser,
    /// `runtimeClassName`.
    RuntimeClassName,
    /// `securityContext.seccompProfile`.
    SeccompProfile,
    /// `securityContext.seLinuxOptions`.
    SeLinuxOptions,
    /// `serviceAccountName`.
    ServiceAccountName,
    /// `shareProcessNamespace`.
    ShareProcessNamespace,
    /// `securityContext.sysctls`.
    Sysctls,
    /// `volumes` of the node, or of types that restricted Pods may not have, and `volumeMounts` of these.
    Volumes,
}

impl GuardedField {
    /// All of them, by name.
    pub const ALL: [Self; 25] = [
        Self::AllowPrivilegeEscalation,
        Self::AppArmorProfile,
        Self::AutomountServiceAccountToken,
        Self::Capabilities,
        Self::Containers,
        Self::HostIpc,
        Self::HostNetwork,
        Self::HostPid,
        Self::HostPort,
        Self::HostProbes,
        Self::HostProcess,
        Self::HostUsers,
        Self::Images,
        Self::Privileged,
        Self::ProcMount,
        Self::ReadOnlyRootFilesystem,
        Self::RunAsNonRoot,
        Self::RunAsUser,
        Self::RuntimeClassName,
        Self::SeccompProfile,
        Self::SeLinuxOptions,
        Self::ServiceAccountName,
        Self::ShareProcessNamespace,
        Self::Sysctls,
        Self::Volumes,
    ];

    /// The word in `mayChange`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowPrivilegeEscalation => "allowPrivilegeEscalation",
            Self::AppArmorProfile => "appArmorProfile",
            Self::AutomountServiceAccountToken => "automountServiceAccountToken",
            Self::Capabilities => "capabilities",
            Self::Containers => "containers",
            Self::HostIpc => "hostIPC",
            Self::HostNetwork => "hostNetwork",
            Self::HostPid => "hostPID",
            Self::HostPort => "hostPort",
            Self::HostProbes => "hostProbes",
            Self::HostProcess => "hostProcess",
            Self::HostUsers => "hostUsers",
            Self::Images => "images",
            Self::Privileged => "privileged",
            Self::ProcMount => "procMount",
            Self::ReadOnlyRootFilesystem => "readOnlyRootFilesystem",
            Self::RunAsNonRoot => "runAsNonRoot",
            Self::RunAsUser => "runAsUser",
            Self::RuntimeClassName => "runtimeClassName",
            Self::SeccompProfile => "seccompProfile",
            Self::SeLinuxOptions => "seLinuxOptions",
            Self::ServiceAccountName => "serviceAccountName",
            Self::ShareProcessNamespace => "shareProcessNamespace",
            Self::Sysctls => "sysctls",
            Self::Volumes => "volumes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_is_shown_is_the_word_that_is_read() {
        for field in GuardedField::ALL {
            assert_eq!(serde_json::from_value::<GuardedField>(field.as_str().into()).unwrap(), field);
        }
        let words = GuardedField::ALL.map(GuardedField::as_str);
        assert!(words.is_sorted_by(|a, b| a.to_lowercase() < b.to_lowercase()));
    }
}
