# The image of `meshgate install`: the program alone, as a user who owns nothing in it.
#
#   docker build -t ghcr.io/meshgate/meshgate:0.1.0 .

# Debian 12 in both stages, so that the C library is the one that was linked against.
FROM docker.io/library/rust:1.95.0-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends cmake g++ make
WORKDIR /meshgate
# What Cargo.toml names, and what is built into the program: policies, and the pages of `lint --explain`.
COPY Cargo.toml Cargo.lock build.rs rust-toolchain.toml ./
COPY benches benches
COPY deploy/examples/policy-repo deploy/examples/policy-repo
COPY docs/codes docs/codes
COPY policies policies
COPY src src
RUN cargo build --locked --release --bin meshgate

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /meshgate/target/release/meshgate /usr/local/bin/meshgate
# `nonroot` of the base image; by number, so that the kubelet can tell that it is not root.
USER 65532:65532
EXPOSE 8443 8444
ENTRYPOINT ["/usr/local/bin/meshgate"]
