export { canonicalJson, pipelineDigest } from './canonical-json.ts';
export {
  compilePipelines,
  type CompiledBefore,
  type CompiledPipelines,
  type PipelineFile,
} from './compile-pipelines.ts';
export { checkLimits } from './check-limits.ts';
export { filesOf } from './compile/body.ts';
export { globMatches } from './compile/needs.ts';
export { expandMatrix, type ExpandedMatrix, type MatrixItem } from './expand-matrix.ts';
export { evaluate, namesIn, renderTemplate, renderUrl } from './expression/evaluate.ts';
export { renderAddress } from './expression/render-address.ts';
export { renderJson } from './expression/render-json.ts';
export type { Evaluated, RunScope, Scope } from './expression/scope.ts';
export { parseEnvironment, type ParsedEnvironment } from './parse-environment.ts';
export { parsePipeline, type ParsedPipeline } from './parse-pipeline.ts';
export { ownFiles } from './own-files.ts';
export { isPart } from './reuse/parts.ts';
export { pipelineJsonSchema, testsJsonSchema } from './pipeline-json-schema.ts';
export { isTestFile, parseTests, type ParsedTests, type TestedProject } from './test-file/parse-tests.ts';
export type {
  ExpectedLook,
  FiresTest,
  GivenVersion,
  PipelineTest,
  RunTest,
  TaskExpectation,
  TestedTry,
  TestFiles,
} from './test-file/pipeline-test.ts';
export { renderParams, renderValues } from './render-params.ts';
export { inputFaults } from './plugin/input-faults.ts';
export { parsePlugin, type ParsedPlugin } from './plugin/parse-plugin.ts';
export { readPluginFolders, type PluginFolders } from './plugin/plugin-folders.ts';
export { resourcesShape } from './shape/resources-shape.ts';
export { resolveParams, type ResolvedParams } from './resolve-params.ts';
export { didYouMean } from './source/did-you-mean.ts';
export { durationMs, durationText } from './source/duration.ts';
export { describeSchedule } from './time/describe-schedule.ts';
export {
  creationOf,
  ds,
  dueIntervals,
  intervalAt,
  intervalsBetween,
  latestIntervals,
  nextIntervals,
  type DueInput,
  type Interval,
} from './time/intervals.ts';
export { previewAroundChanges, previewFires, type FirePreview } from './time/preview.ts';
export { isWithinWindow } from './time/window.ts';
export { resourcesOf } from './compile/resources.ts';
export { withOverlay } from './with-overlay.ts';
