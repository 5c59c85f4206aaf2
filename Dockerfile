# Setpoint as one container: no root, an init process, everything downloaded at build time.
#
#   docker build -t setpoint .
#   docker run -v setpoint-state:/var/lib/setpoint -p 127.0.0.1:8005:8005 setpoint
#
# It listens on all addresses of the container, so every route asks for the token in /var/lib/setpoint/token.

FROM node:22-bookworm-slim AS deno
RUN npm install --global --no-fund --no-audit deno@2.9.6 \
  && cp "$(deno eval 'console.log(Deno.execPath())')" /deno

FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates tini \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --create-home setpoint \
  && install -d -o setpoint -g setpoint /opt/setpoint /var/lib/setpoint /var/cache/deno
COPY --from=deno /deno /usr/local/bin/deno
ENV DENO_DIR=/var/cache/deno DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
USER setpoint
WORKDIR /opt/setpoint
COPY --chown=setpoint:setpoint deno.json deno.lock main.ts ./
COPY --chown=setpoint:setpoint runtime runtime
COPY --chown=setpoint:setpoint plugins plugins
COPY --chown=setpoint:setpoint strategies strategies
COPY --chown=setpoint:setpoint metadata metadata
RUN deno install --frozen && deno cache main.ts runtime/launch.ts runtime/cells/cell.ts runtime/cells/worker.ts

ENV SETPOINT_FOLDERS_STATE=/var/lib/setpoint SETPOINT_API_HOST=0.0.0.0
VOLUME /var/lib/setpoint
EXPOSE 8005
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["deno", "task", "--quiet", "health"]
# signals reach deno task, which passes them on; tini reaps what a killed cell leaves
ENTRYPOINT ["tini", "--"]
CMD ["deno", "task", "--quiet", "start"]
