# syntax=docker/dockerfile:1
# One image for every process: `node dist/api.js`, `dist/scheduler.js`, `dist/worker.js`, `dist/standalone.js`.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Nothing here needs an install script, so none gets to run.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
# git reads releases, python3 runs `python:` tasks; shell tasks may use both.
RUN apt-get update \
    && apt-get install -y --no-install-recommends git python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/bin ./bin
COPY --from=build /app/templates ./templates
COPY --from=build /app/plugins ./plugins
COPY --from=build /app/dist ./dist
# The only folder that is written to; a named volume mounted here takes over its owner.
# The command line by its name, for CI systems whose builds run in this image.
RUN mkdir .sluice && chown node:node .sluice && ln -s /app/bin/sluice.mjs /usr/local/bin/sluice
USER node
EXPOSE 7460
# Of use for the api and the standalone; the others listen on nothing and switch it off.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SLUICE_PORT || 7460}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/standalone.js"]
