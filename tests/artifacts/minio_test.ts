import { openMinio } from "../../runtime/artifacts/minio.ts";
import { systemClock } from "../../runtime/clock.ts";
import { artifactStoreContract } from "../contract/artifact_store.ts";
import { findMinio, MINIO_HINT, MinioServer } from "../servers/minio.ts";
import { serverTest } from "../servers/require.ts";

serverTest("minio store meets the contract", findMinio, async (program, t) => {
  await using server = await MinioServer.start(program);
  await artifactStoreContract(t, async () => openMinio(await server.bucket(), systemClock));
}, MINIO_HINT);
