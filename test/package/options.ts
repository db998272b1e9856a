/** What scripts/check-declarations.mjs compiles against the packed declarations: every option may be `undefined`, with exactOptionalPropertyTypes too. */
import type {
  Abortable,
  AsymmetricOptions,
  ChunkCall,
  DeviceOptions,
  ExplainerOptions,
  ExplainOptions,
  FocalStarOptions,
  GradcheckOptions,
  HeatmapFocalOptions,
  HessCall,
  InitOptions,
  ProbabilityCall,
  QualityFocalOptions,
  SigmoidFocalOptions,
  SoftmaxFocalOptions,
  SumsCall,
  VarifocalOptions,
} from 'focal-loss'

/** The names of the options that refuse it. */
type Refusing<O> = { [K in keyof O]-?: Record<K, undefined> extends Pick<O, K> ? never : K }[keyof O]

type None<K extends never> = K
/** What methods return follows from the reduction, so that it is one, or absent. */
type OfLoss<O> = Exclude<Refusing<O>, 'reduction'>

export type Losses = [
  None<OfLoss<AsymmetricOptions>>,
  None<OfLoss<FocalStarOptions>>,
  None<OfLoss<HeatmapFocalOptions>>,
  None<OfLoss<QualityFocalOptions>>,
  None<OfLoss<SigmoidFocalOptions>>,
  None<OfLoss<SoftmaxFocalOptions>>,
  None<OfLoss<VarifocalOptions>>,
]
export type Calls = [
  None<Refusing<HessCall<Float32Array>>>,
  None<Refusing<SumsCall<Float32Array>>>,
  None<Refusing<ProbabilityCall<Float32Array>>>,
  None<Refusing<ChunkCall<Float32Array>>>,
  None<Refusing<Abortable>>,
]
export type Others = [
  None<Refusing<ExplainOptions>>,
  None<Refusing<ExplainerOptions>>,
  None<Refusing<GradcheckOptions>>,
  None<Refusing<InitOptions>>,
  None<Refusing<DeviceOptions>>,
]
