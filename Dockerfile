# docker build -t warren . && docker run -p 5672:5672 -p 15672:15672 -v warren:/var/lib/rabbitmq \
#   -e RABBITMQ_DEFAULT_USER=app -e RABBITMQ_DEFAULT_PASS=secret warren
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags='-s -w' -o /out/usr/local/bin/warren ./cmd/warren \
 && for name in rabbitmq-server rabbitmqctl rabbitmq-plugins rabbitmq-diagnostics rabbitmq-queues rabbitmq-streams rabbitmq-upgrade; do \
      ln -s warren /out/usr/local/bin/$name; done \
 && mkdir -p /out/etc/rabbitmq/conf.d /out/var/lib/rabbitmq /out/tmp \
 && cp packaging/container/10-defaults.conf /out/etc/rabbitmq/conf.d/ \
 && cp packaging/container/passwd packaging/container/group /out/etc/ \
 && chmod 1777 /out/tmp && chown -R 999:999 /out/var/lib/rabbitmq /out/etc/rabbitmq

# One static program, and nothing else: no shell, no package to keep up to date.
FROM scratch
COPY --from=build /out/ /
ENV PATH=/usr/local/bin HOME=/var/lib/rabbitmq RABBITMQ_MNESIA_DIR=/var/lib/rabbitmq/warren
USER 999:999
VOLUME /var/lib/rabbitmq
EXPOSE 5672 5671 15672 15671 15692
# "ready" is more than that the process is there: its data is recovered, and it takes connections.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["rabbitmq-diagnostics", "-q", "check_running"]
STOPSIGNAL SIGTERM
CMD ["rabbitmq-server"]
