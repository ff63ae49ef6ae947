//! The fields of `ProxyConfig` in the order in which istio.io/api declares them, which is that of the JSON that a Pod is
//! told (mesh/v1alpha1/proxy.proto).

/// A field.
pub(super) struct Field {
    /// Its name in JSON.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// What a field holds.
pub(super) enum Kind {
    Text,
    Bool,
    /// A wrapped boolean: absent is not false.
    OptionalBool,
    Integer,
    /// A wrapped integer: absent is not 0.
    OptionalInteger,
    Number,
    Duration,
    /// The first name is the value 0.
    Enum(&'static [&'static str]),
    /// A map of strings.
    Texts,
    TextList,
    Message(&'static [Field]),
    /// What nothing here reads; its members are written sorted.
    Any,
}

impl Field {
    /// Its name in the proto, which JSON may have, too.
    pub(super) fn snake(&self) -> String {
        let mut snake = String::new();
        for character in self.name.chars() {
            if character.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(character.to_ascii_lowercase());
        }
        snake
    }

    /// Its name in Go.
    pub(super) fn go_name(&self) -> String {
        let mut characters = self.name.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(characters).collect()
    }
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

const ADDRESS: &[Field] = &[field("address", Kind::Text)];

const TLS: &[Field] = &[
    field("mode", Kind::Enum(&["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"])),
    field("clientCertificate", Kind::Text),
    field("privateKey", Kind::Text),
    field("caCertificates", Kind::Text),
    field("credentialName", Kind::Text),
    field("subjectAltNames", Kind::TextList),
    field("sni", Kind::Text),
    field("insecureSkipVerify", Kind::OptionalBool),
    field("caCrl", Kind::Text),
];

const KEEPALIVE: &[Field] =
    &[field("probes", Kind::Integer), field("time", Kind::Duration), field("interval", Kind::Duration)];

const REMOTE: &[Field] = &[
    field("address", Kind::Text),
    field("tlsSettings", Kind::Message(TLS)),
    field("tcpKeepalive", Kind::Message(KEEPALIVE)),
];

const TRACING: &[Field] = &[
    field("zipkin", Kind::Message(ADDRESS)),
    field("lightstep", Kind::Message(&[field("address", Kind::Text), field("accessToken", Kind::Text)])),
    field("datadog", Kind::Message(ADDRESS)),
    field(
        "stackdriver",
        Kind::Message(&[
            field("debug", Kind::Bool),
            field("maxNumberOfAttributes", Kind::OptionalInteger),
            field("maxNumberOfAnnotations", Kind::OptionalInteger),
            field("maxNumberOfMessageEvents", Kind::OptionalInteger),
        ]),
    ),
    field("openCensusAgent", Kind::Message(&[field("address", Kind::Text), field("context", Kind::Any)])),
    field("customTags", Kind::Any),
    field("maxPathTagLength", Kind::Integer),
    field("sampling", Kind::Number),
    field("tlsSettings", Kind::Message(TLS)),
    field("enableIstioTags", Kind::OptionalBool),
];

/// What becomes of the header with the certificate of a client.
const FORWARDED: Kind = Kind::Enum(&[
    "UNDEFINED",
    "SANITIZE",
    "FORWARD_ONLY",
    "APPEND_FORWARD",
    "SANITIZE_SET",
    "ALWAYS_FORWARD_ONLY",
]);

const TOPOLOGY: &[Field] = &[
    field("numTrustedProxies", Kind::Integer),
    field("forwardClientCertDetails", FORWARDED),
    field("proxyProtocol", Kind::Message(&[])),
];

const STATS: &[Field] = &[
    field("inclusionPrefixes", Kind::TextList),
    field("inclusionSuffixes", Kind::TextList),
    field("inclusionRegexps", Kind::TextList),
];

const KEY_PROVIDER: &[Field] = &[
    field(
        "cryptomb",
        Kind::Message(&[field("pollDelay", Kind::Duration), field("fallback", Kind::OptionalBool)]),
    ),
    field("qat", Kind::Message(&[field("pollDelay", Kind::Duration), field("fallback", Kind::OptionalBool)])),
];

const READINESS: &[Field] = &[
    field("initialDelaySeconds", Kind::Integer),
    field("timeoutSeconds", Kind::Integer),
    field("periodSeconds", Kind::Integer),
    field("successThreshold", Kind::Integer),
    field("failureThreshold", Kind::Integer),
    field(
        "httpGet",
        Kind::Message(&[
            field("path", Kind::Text),
            field("port", Kind::Integer),
            field("host", Kind::Text),
            field("scheme", Kind::Text),
            field("httpHeaders", Kind::Any),
        ]),
    ),
    field("tcpSocket", Kind::Message(&[field("host", Kind::Text), field("port", Kind::Integer)])),
    field("exec", Kind::Message(&[field("command", Kind::TextList)])),
    field("grpc", Kind::Message(&[field("port", Kind::Integer), field("service", Kind::Text)])),
];

const DISABLED: Kind = Kind::Message(&[field("disabled", Kind::OptionalBool)]);
const ENABLED: Kind = Kind::Message(&[field("enabled", Kind::OptionalBool)]);

const HEADERS: &[Field] = &[
    field("forwardedClientCert", FORWARDED),
    field(
        "setCurrentClientCertDetails",
        Kind::Message(&[
            field("subject", Kind::OptionalBool),
            field("cert", Kind::OptionalBool),
            field("chain", Kind::OptionalBool),
            field("dns", Kind::OptionalBool),
            field("uri", Kind::OptionalBool),
        ]),
    ),
    field("requestId", DISABLED),
    field("server", Kind::Message(&[field("disabled", Kind::OptionalBool), field("value", Kind::Text)])),
    field("attemptCount", DISABLED),
    field("envoyDebugHeaders", DISABLED),
    field("metadataExchangeHeaders", Kind::Message(&[field("mode", Kind::Enum(&["UNDEFINED", "IN_MESH"]))])),
    field("preserveHttp1HeaderCase", Kind::OptionalBool),
    field("xForwardedHost", ENABLED),
    field("xForwardedPort", ENABLED),
];

const CONNECTIONS: &[Field] = &[
    field("profile", Kind::Enum(&["SIDECAR", "EDGE"])),
    field("listenerPerConnectionBufferLimitBytes", Kind::OptionalInteger),
    field("clusterPerConnectionBufferLimitBytes", Kind::OptionalInteger),
    field("httpIdleTimeout", Kind::Duration),
    field("httpMaxConnectionDuration", Kind::Duration),
    field("httpDrainTimeout", Kind::Duration),
    field("httpRequestTimeout", Kind::Duration),
    field("httpRequestHeadersTimeout", Kind::Duration),
    field("httpStreamIdleTimeout", Kind::Duration),
    field("httpMaxStreamDuration", Kind::Duration),
    field("httpMaxConcurrentStreams", Kind::OptionalInteger),
    field("http2InitialStreamWindowSize", Kind::OptionalInteger),
    field("http2InitialConnectionWindowSize", Kind::OptionalInteger),
    field(
        "httpHeadersWithUnderscoresAction",
        Kind::Enum(&[
            "HEADERS_WITH_UNDERSCORES_UNSPECIFIED",
            "HEADERS_WITH_UNDERSCORES_ALLOW",
            "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
            "HEADERS_WITH_UNDERSCORES_DROP_HEADER",
        ]),
    ),
    field("httpMergeSlashes", Kind::OptionalBool),
    field(
        "httpPathWithEscapedSlashesAction",
        Kind::Enum(&[
            "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED",
            "KEEP_UNCHANGED",
            "REJECT_REQUEST",
            "UNESCAPE_AND_REDIRECT",
            "UNESCAPE_AND_FORWARD",
        ]),
    ),
    field("listenerConnectionLimit", Kind::OptionalInteger),
    field("globalDownstreamConnectionLimit", Kind::OptionalInteger),
];

/// All of `ProxyConfig`.
pub(super) const FIELDS: &[Field] = &[
    field("configPath", Kind::Text),
    field("binaryPath", Kind::Text),
    field("serviceCluster", Kind::Text),
    field(
        "tracingServiceName",
        Kind::Enum(&["APP_LABEL_AND_NAMESPACE", "CANONICAL_NAME_ONLY", "CANONICAL_NAME_AND_NAMESPACE"]),
    ),
    field("drainDuration", Kind::Duration),
    field("parentShutdownDuration", Kind::Duration),
    field("discoveryAddress", Kind::Text),
    field("discoveryRefreshDelay", Kind::Duration),
    field("zipkinAddress", Kind::Text),
    field("statsdUdpAddress", Kind::Text),
    field("envoyMetricsServiceAddress", Kind::Text),
    field("proxyAdminPort", Kind::Integer),
    field("availabilityZone", Kind::Text),
    field("controlPlaneAuthPolicy", Kind::Enum(&["NONE", "MUTUAL_TLS"])),
    field("customConfigFile", Kind::Text),
    field("statNameLength", Kind::Integer),
    field("concurrency", Kind::OptionalInteger),
    field("proxyBootstrapTemplatePath", Kind::Text),
    field("interceptionMode", Kind::Enum(&["REDIRECT", "TPROXY", "NONE"])),
    field("tracing", Kind::Message(TRACING)),
    field("sds", Kind::Message(&[field("enabled", Kind::Bool), field("k8sSaJwtPath", Kind::Text)])),
    field("envoyAccessLogService", Kind::Message(REMOTE)),
    field("envoyMetricsService", Kind::Message(REMOTE)),
    field("proxyMetadata", Kind::Texts),
    field("runtimeValues", Kind::Texts),
    field("statusPort", Kind::Integer),
    field("extraStatTags", Kind::TextList),
    field("gatewayTopology", Kind::Message(TOPOLOGY)),
    field("terminationDrainDuration", Kind::Duration),
    field("meshId", Kind::Text),
    field("readinessProbe", Kind::Message(READINESS)),
    field("proxyStatsMatcher", Kind::Message(STATS)),
    field("holdApplicationUntilProxyStarts", Kind::OptionalBool),
    field("caCertificatesPem", Kind::TextList),
    field("image", Kind::Message(&[field("imageType", Kind::Text)])),
    field("privateKeyProvider", Kind::Message(KEY_PROVIDER)),
    field("proxyHeaders", Kind::Message(HEADERS)),
    field("fileFlushInterval", Kind::Duration),
    field("fileFlushMinSizeKb", Kind::OptionalInteger),
    field("statsCompression", Kind::OptionalBool),
    field("connectionSettings", Kind::Message(CONNECTIONS)),
];
