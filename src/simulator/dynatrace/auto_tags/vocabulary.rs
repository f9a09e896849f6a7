//! The words of auto-tags: types of entities, propagation, comparisons, and what attributes hold.
//!
//! From the configuration API's models (`config/v1/autoTags`) and the schema `builtin:tags.auto-tagging`, version 1.0.18.

/// Types of entities that a rule may apply to.
pub(super) const ENTITY_TYPES: [&str; 18] = [
    "APPLICATION",
    "AWS_APPLICATION_LOAD_BALANCER",
    "AWS_CLASSIC_LOAD_BALANCER",
    "AWS_NETWORK_LOAD_BALANCER",
    "AWS_RELATIONAL_DATABASE_SERVICE",
    "AZURE",
    "CUSTOM_APPLICATION",
    "CUSTOM_DEVICE",
    "DCRUM_APPLICATION",
    "ESXI_HOST",
    "EXTERNAL_SYNTHETIC_TEST",
    "HOST",
    "HTTP_CHECK",
    "MOBILE_APPLICATION",
    "MULTIPROTOCOL_MONITOR",
    "PROCESS_GROUP",
    "SERVICE",
    "SYNTHETIC_TEST",
];

/// How a tag is handed on to related entities: the word of the configuration API, the type of rule that may do so, the
/// property of the settings API.
pub(super) const PROPAGATION: [(&str, &str, &str); 7] = [
    (
        "SERVICE_TO_PROCESS_GROUP_LIKE",
        "SERVICE",
        "serviceToPGPropagation",
    ),
    ("SERVICE_TO_HOST_LIKE", "SERVICE", "serviceToHostPropagation"),
    ("PROCESS_GROUP_TO_HOST", "PROCESS_GROUP", "pgToHostPropagation"),
    (
        "PROCESS_GROUP_TO_SERVICE",
        "PROCESS_GROUP",
        "pgToServicePropagation",
    ),
    ("HOST_TO_PROCESS_GROUP_INSTANCE", "HOST", "hostToPGPropagation"),
    ("AZURE_TO_PG", "AZURE", "azureToPGPropagation"),
    ("AZURE_TO_SERVICE", "AZURE", "azureToServicePropagation"),
];

/// What the value of a comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueShape {
    Text,
    /// 32 bits with a sign.
    Integer,
    /// An object `TagInfo`.
    Tag,
    /// An object of `type` and `verbatimType`.
    Technology,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A type of comparison.
#[derive(Debug)]
pub(super) struct ComparisonType {
    pub(super) name: &'static str,
    pub(super) operators: &'static [&'static str],
    pub(super) value: ValueShape,
}

/// Operators of choices, and the beginning of everyone's.
const CHOICE: &[&str] = &["EQUALS", "EXISTS"];

const fn typed(name: &'static str, operators: &'static [&'static str], value: ValueShape) -> ComparisonType {
    ComparisonType {
        name,
        operators,
        value,
    }
}

const fn choice(name: &'static str, words: &'static [&'static str]) -> ComparisonType {
    typed(name, CHOICE, ValueShape::Word(words))
}

/// Every type of comparison, with its operators and what it compares with.
#[rustfmt::skip]
pub(super) const COMPARISONS: &[ComparisonType] = &[
    typed("STRING", &["BEGINS_WITH", "CONTAINS", "ENDS_WITH", "EQUALS", "EXISTS", "REGEX_MATCHES"], ValueShape::Text),
    typed("IP_ADDRESS", &["BEGINS_WITH", "CONTAINS", "ENDS_WITH", "EQUALS", "EXISTS", "IS_IP_IN_RANGE", "REGEX_MATCHES"], ValueShape::Text),
    typed("INTEGER", &["EQUALS", "EXISTS", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LOWER_THAN", "LOWER_THAN_OR_EQUAL"], ValueShape::Integer),
    typed("TAG", &["EQUALS", "TAG_KEY_EQUALS"], ValueShape::Tag),
    typed("INDEXED_TAG", &["EQUALS", "EXISTS", "TAG_KEY_EQUALS"], ValueShape::Tag),
    typed("INDEXED_NAME", &["CONTAINS", "EQUALS", "EXISTS"], ValueShape::Text),
    typed("INDEXED_STRING", CHOICE, ValueShape::Text),
    typed("ENTITY_ID", &["EQUALS"], ValueShape::Text),
    typed("SIMPLE_TECH", CHOICE, ValueShape::Technology),
    typed("SIMPLE_HOST_TECH", CHOICE, ValueShape::Technology),
    choice("OS_TYPE", &["AIX", "DARWIN", "HPUX", "LINUX", "SOLARIS", "WINDOWS", "ZOS"]),
    choice("BITNESS", &["32", "64"]),
    choice("OS_ARCHITECTURE", &["ARM", "IA64", "PARISC", "PPC", "PPCLE", "S390", "SPARC", "X86", "ZOS"]),
    choice("CLOUD_TYPE", &["AZURE", "EC2", "GOOGLE_CLOUD_PLATFORM", "OPENSTACK", "ORACLE", "UNRECOGNIZED"]),
    choice("HYPERVISOR_TYPE", &[
        "AHV", "AWS_NITRO", "GVISOR", "HYPER_V", "KVM", "LPAR", "QEMU", "UNRECOGNIZED", "VIRTUAL_BOX", "VMWARE", "WPAR", "XEN",
    ]),
    choice("PAAS_TYPE", &[
        "AWS_ECS_EC2", "AWS_ECS_FARGATE", "AWS_LAMBDA", "AZURE_FUNCTIONS", "AZURE_WEBSITES", "CLOUD_FOUNDRY",
        "GOOGLE_APP_ENGINE", "GOOGLE_CLOUD_RUN", "HEROKU", "KUBERNETES", "OPENSHIFT",
    ]),
    choice("AZURE_SKU", &["BASIC", "DYNAMIC", "FREE", "PREMIUM", "SHARED", "STANDARD"]),
    choice("AZURE_COMPUTE_MODE", &["DEDICATED", "SHARED"]),
    choice("SERVICE_TYPE", &[
        "BACKGROUND_ACTIVITY", "CICS_SERVICE", "CUSTOM_SERVICE", "DATABASE_SERVICE", "ENTERPRISE_SERVICE_BUS_SERVICE",
        "EXTERNAL", "IBM_INTEGRATION_BUS_SERVICE", "IMS_SERVICE", "MESSAGING_SERVICE", "QUEUE_LISTENER_SERVICE",
        "RMI_SERVICE", "RPC_SERVICE", "UNIFIED", "WEB_REQUEST_SERVICE", "WEB_SERVICE", "ZOS_CONNECT",
    ]),
    choice("SERVICE_TOPOLOGY", &["EXTERNAL_SERVICE", "FULLY_MONITORED", "OPAQUE_SERVICE"]),
    choice("DATABASE_TOPOLOGY", &["CLUSTER", "EMBEDDED", "FAILOVER", "IPC", "LOAD_BALANCING", "SINGLE_SERVER", "UNSPECIFIED"]),
    choice("APPLICATION_TYPE", &["AGENTLESS_MONITORING", "AMP", "AUTO_INJECTED", "DEFAULT", "SAAS_VENDOR"]),
    choice("MOBILE_PLATFORM", &["ANDROID", "IOS", "LINUX", "MAC_OS", "OTHER", "TVOS", "WINDOWS"]),
    choice("CUSTOM_APPLICATION_TYPE", &["AMAZON_ECHO", "DESKTOP", "EMBEDDED", "IOT", "MICROSOFT_HOLOLENS", "UFO"]),
    choice("SYNTHETIC_ENGINE_TYPE", &["CLASSIC", "CUSTOM"]),
    choice("DCRUM_DECODER_TYPE", &[
        "ALL_OTHER", "CITRIX_APPFLOW", "CITRIX_ICA", "CITRIX_ICA_OVER_SSL", "DB2_DRDA", "HTTP", "HTTPS", "HTTP_EXPRESS",
        "INFORMIX", "MYSQL", "ORACLE", "SAP_GUI", "SAP_GUI_OVER_HTTP", "SAP_GUI_OVER_HTTPS", "SAP_HANA_DB", "SAP_RFC", "SSL",
        "TDS",
    ]),
];

/// The type of comparison of a name.
pub(super) fn comparison(name: &str) -> Option<&'static ComparisonType> {
    COMPARISONS.iter().find(|comparison| comparison.name == name)
}

/// How an attribute gets at what it compares, where it needs more than its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyType {
    /// No dynamic key.
    Static,
    /// An object of `key` and one of these sources.
    Custom(&'static str, &'static [&'static str]),
    /// A text.
    Text(&'static str),
}

impl KeyType {
    /// The word of the configuration API.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Custom(name, _) | Self::Text(name) => name,
        }
    }

    /// The type of an attribute.
    pub(super) fn of(attribute: &str) -> Self {
        match attribute {
            "PROCESS_GROUP_CUSTOM_METADATA" => Self::Custom(
                "PROCESS_CUSTOM_METADATA_KEY",
                &[
                    "AGENT",
                    "CLOUD_FOUNDRY",
                    "ENVIRONMENT",
                    "GOOGLE_CLOUD",
                    "KUBERNETES",
                    "PLUGIN",
                ],
            ),
            "HOST_CUSTOM_METADATA" => Self::Custom(
                "HOST_CUSTOM_METADATA_KEY",
                &["ENVIRONMENT", "GOOGLE_COMPUTE_ENGINE", "PLUGIN"],
            ),
            "PROCESS_GROUP_PREDEFINED_METADATA" => Self::Text("PROCESS_PREDEFINED_METADATA_KEY"),
            _ if attribute.ends_with("_METADATA") || attribute.ends_with("_LABELS") => Self::Text("STRING"),
            _ => Self::Static,
        }
    }
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Ip,
    Integer,
    Tag,
    Entity,
    /// Words, with the comparison type that lists them.
    Choice(&'static str),
}

impl Family {
    /// The family of an attribute; `None` for one that the vendor can't have.
    pub(super) fn of(attribute: &str) -> Option<Self> {
        if let Some((_, comparison)) = CHOICES.iter().find(|(known, _)| *known == attribute) {
            return Some(Self::Choice(comparison));
        }
        if !PREFIXES.iter().any(|prefix| attribute.starts_with(prefix)) {
            return None;
        }
        Some(match attribute {
            "PROCESS_GROUP_ID" | "HOST_GROUP_ID" => Self::Entity,
            _ if INTEGERS.contains(&attribute) => Self::Integer,
            _ if attribute.ends_with("_TAGS") => Self::Tag,
            _ if attribute.ends_with("_IP_ADDRESS") || attribute.ends_with("_IP_ADDRESSES") => Self::Ip,
            _ => Self::Text,
        })
    }

    /// The types of comparison that fit it, that of the settings API first.
    pub(super) fn comparisons(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["STRING", "INDEXED_NAME", "INDEXED_STRING"],
            Self::Ip => &["IP_ADDRESS"],
            Self::Integer => &["INTEGER"],
            Self::Tag => &["INDEXED_TAG", "TAG"],
            Self::Entity => &["ENTITY_ID"],
            Self::Choice(name) => CHOICES
                .iter()
                .find(|(_, known)| *known == name)
                .map_or(&[], |(_, known)| std::slice::from_ref(known)),
        }
    }
}

/// Whether comparisons of a textual attribute can say whether case counts, in the settings API.
pub(super) fn takes_case(attribute: &str) -> bool {
    Family::of(attribute) == Some(Family::Text)
        && attribute != "HOST_DETECTED_NAME"
        && !["AZURE_MGMT_GROUP_", "AZURE_SUBSCRIPTION_", "AZURE_TENANT_"]
            .iter()
            .any(|prefix| attribute.starts_with(prefix))
}

/// What the names of attributes begin with. The simulator knows these and not each of the 199 attributes.
#[rustfmt::skip]
const PREFIXES: &[&str] = &[
    "APPMON_", "AWS_", "AZURE_", "BROWSER_MONITOR_", "CLOUD_APPLICATION_", "CLOUD_FOUNDRY_", "CUSTOM_APPLICATION_",
    "CUSTOM_DEVICE_", "DATA_CENTER_SERVICE_", "DOCKER_", "EC2_INSTANCE_", "ENTERPRISE_APPLICATION_", "ESXI_HOST_",
    "EXTERNAL_MONITOR_", "GEOLOCATION_", "GOOGLE_", "HOST_", "HTTP_MONITOR_", "KUBERNETES_", "MOBILE_APPLICATION_",
    "NAME_OF_COMPUTE_NODE", "NETWORK_AVAILABILITY_MONITOR_", "OPENSTACK_", "PROCESS_GROUP_", "QUEUE_", "SERVICE_", "VMWARE_",
    "WEB_APPLICATION_",
];

/// Attributes that hold whole numbers.
const INTEGERS: &[&str] = &[
    "HOST_PAAS_MEMORY_LIMIT",
    "HOST_AIX_VIRTUAL_CPU_COUNT",
    "HOST_AIX_LOGICAL_CPU_COUNT",
    "HOST_AIX_SIMULTANEOUS_THREADS",
    "HOST_CPU_CORES",
    "HOST_LOGICAL_CPU_CORES",
    "PROCESS_GROUP_LISTEN_PORT",
    "SERVICE_PORT",
    "CUSTOM_DEVICE_PORT",
    "ENTERPRISE_APPLICATION_PORT",
    "DATA_CENTER_SERVICE_PORT",
    "AWS_CLASSIC_LOAD_BALANCER_FRONTEND_PORTS",
    "AWS_RELATIONAL_DATABASE_SERVICE_PORT",
];

/// Attributes that hold one of some words, with the comparison type that lists them.
const CHOICES: &[(&str, &str)] = &[
    ("HOST_AZURE_COMPUTE_MODE", "AZURE_COMPUTE_MODE"),
    ("HOST_AZURE_SKU", "AZURE_SKU"),
    ("HOST_BITNESS", "BITNESS"),
    ("HOST_CLOUD_TYPE", "CLOUD_TYPE"),
    ("HOST_HYPERVISOR_TYPE", "HYPERVISOR_TYPE"),
    ("HOST_ARCHITECTURE", "OS_ARCHITECTURE"),
    ("HOST_OS_TYPE", "OS_TYPE"),
    ("HOST_PAAS_TYPE", "PAAS_TYPE"),
    ("HOST_TECHNOLOGY", "SIMPLE_HOST_TECH"),
    ("PROCESS_GROUP_TECHNOLOGY", "SIMPLE_TECH"),
    ("SERVICE_TECHNOLOGY", "SIMPLE_TECH"),
    ("CUSTOM_DEVICE_TECHNOLOGY", "SIMPLE_TECH"),
    ("QUEUE_TECHNOLOGY", "SIMPLE_TECH"),
    ("SERVICE_DATABASE_TOPOLOGY", "DATABASE_TOPOLOGY"),
    ("SERVICE_TOPOLOGY", "SERVICE_TOPOLOGY"),
    ("SERVICE_TYPE", "SERVICE_TYPE"),
    ("WEB_APPLICATION_TYPE", "APPLICATION_TYPE"),
    ("MOBILE_APPLICATION_PLATFORM", "MOBILE_PLATFORM"),
    ("CUSTOM_APPLICATION_TYPE", "CUSTOM_APPLICATION_TYPE"),
    ("CUSTOM_APPLICATION_PLATFORM", "MOBILE_PLATFORM"),
    ("ENTERPRISE_APPLICATION_DECODER_TYPE", "DCRUM_DECODER_TYPE"),
    ("DATA_CENTER_SERVICE_DECODER_TYPE", "DCRUM_DECODER_TYPE"),
    ("EXTERNAL_MONITOR_ENGINE_TYPE", "SYNTHETIC_ENGINE_TYPE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_tell_what_they_hold_and_how_they_are_reached() {
        for (attribute, family, key_type) in [
            ("HOST_NAME", Some(Family::Text), "STATIC"),
            ("HOST_IP_ADDRESS", Some(Family::Ip), "STATIC"),
            (
                "GOOGLE_COMPUTE_INSTANCE_PUBLIC_IP_ADDRESSES",
                Some(Family::Ip),
                "STATIC",
            ),
            ("HOST_CPU_CORES", Some(Family::Integer), "STATIC"),
            ("HOST_AWS_NAME_TAG", Some(Family::Text), "STATIC"),
            ("AZURE_ENTITY_TAGS", Some(Family::Tag), "STATIC"),
            ("PROCESS_GROUP_ID", Some(Family::Entity), "STATIC"),
            ("HOST_GROUP_ID", Some(Family::Entity), "STATIC"),
            ("HOST_OS_TYPE", Some(Family::Choice("OS_TYPE")), "STATIC"),
            ("HOST_OS_VERSION", Some(Family::Text), "STATIC"),
            (
                "PROCESS_GROUP_CUSTOM_METADATA",
                Some(Family::Text),
                "PROCESS_CUSTOM_METADATA_KEY",
            ),
            (
                "HOST_CUSTOM_METADATA",
                Some(Family::Text),
                "HOST_CUSTOM_METADATA_KEY",
            ),
            (
                "PROCESS_GROUP_PREDEFINED_METADATA",
                Some(Family::Text),
                "PROCESS_PREDEFINED_METADATA_KEY",
            ),
            ("CUSTOM_DEVICE_METADATA", Some(Family::Text), "STRING"),
            ("HOST_KUBERNETES_LABELS", Some(Family::Text), "STRING"),
            ("COLOUR", None, "STATIC"),
            ("host_name", None, "STATIC"),
        ] {
            assert_eq!(
                (Family::of(attribute), KeyType::of(attribute).name()),
                (family, key_type),
                "{attribute}"
            );
        }
    }

    #[test]
    fn every_family_is_compared_by_types_that_there_are() {
        let families = [
            Family::Text,
            Family::Ip,
            Family::Integer,
            Family::Tag,
            Family::Entity,
        ];
        let choices = CHOICES.iter().map(|(_, name)| Family::Choice(name));
        for family in families.into_iter().chain(choices) {
            assert!(!family.comparisons().is_empty(), "{family:?}");
            for name in family.comparisons() {
                assert!(comparison(name).is_some(), "{name}");
            }
        }
        assert_eq!(COMPARISONS.len(), 26);
    }
}
