# An image of the gateway: Debian, Node, the program and what it needs to run.
#
#   docker build -t kloset-gateway .
#   docker run --rm -p 9876:9876 kloset-gateway serve --sample --listen :9876
#
# compose.yaml has a whole setup. Debian's tag follows its security updates: build again, with --pull, to get them.

FROM node:24.22.3-trixie-slim AS build
WORKDIR /opt/kloset-gateway
COPY package.json package-lock.json ./
# Without install scripts: none of the packages needs its own to run, and they would need a compiler here.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY gen gen
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

# Debian, Node's program and the gateway: no npm, no Yarn and none of Node's headers.
FROM debian:trixie-slim
LABEL org.opencontainers.image.title="kloset-gateway" \
      org.opencontainers.image.description="Serves plakar's Kloset stores over HTTP and gRPC" \
      org.opencontainers.image.licenses="ISC"
ENV NODE_ENV=production
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /opt/kloset-gateway
COPY package.json LICENSE CHANGELOG.md ./
COPY --from=build /opt/kloset-gateway/node_modules node_modules
COPY --from=build /opt/kloset-gateway/dist dist
COPY bin bin
COPY proto proto
COPY sample sample
COPY deploy/compose/gateway/config.yaml /etc/kloset-gateway/config.yaml
# The store and the state: Docker gives a new volume the owner and mode that the folder has in the image.
RUN ln -s /opt/kloset-gateway/bin/kloset-gateway /usr/local/bin/kloset-gateway \
    && install -d -o 10001 -g 10001 -m 750 /srv/kloset /var/lib/kloset-gateway
# A number, so that Kubernetes can tell that it isn't root. Any other user does, too, if the volumes are that user's.
USER 10001:10001
EXPOSE 9876 9878 9464
# The admin listener speaks plain HTTP also where the others have TLS.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The launcher replaces itself with Node, which is process 1 then, and stops at SIGTERM.
ENTRYPOINT ["kloset-gateway"]
CMD ["serve", "--config", "/etc/kloset-gateway/config.yaml"]
