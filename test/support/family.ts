/** The 60-digit values of test/conformance/family: losses and options beside those of golden.json. */
import * as focal from 'focal-loss'
import type { BackendName, FocalLossBase, LossOptions } from 'focal-loss'
import golden from '../conformance/family/golden.json' with { type: 'json' }

export interface FamilyCase {
  readonly loss: 'SigmoidFocalLoss' | 'SoftmaxFocalLoss' | 'VarifocalLoss' | 'QualityFocalLoss' | 'DistributionFocalLoss' | 'AsymmetricSoftmaxLoss'
  readonly options: { readonly gamma?: number | readonly number[]; readonly beta?: number; readonly gammaPositive?: number; readonly gammaNegative?: number }
  readonly shape: readonly number[]
  readonly logits: readonly number[]
  readonly targets: readonly number[]
  readonly expected: { readonly value: readonly number[]; readonly grad: readonly number[]; readonly hess?: readonly number[] }
  readonly terms: { readonly grad: readonly number[]; readonly hess?: readonly number[] }
}

const cases = golden.cases as readonly FamilyCase[]
export const familyCases = cases.map((one, i) => [`${i} ${one.loss} ${JSON.stringify(one.options).slice(0, 100)} [${one.shape.join(', ')}]`, one] as const)

export function familyLoss({ loss, options }: FamilyCase, backend: BackendName): FocalLossBase<'none'> {
  return new focal[loss]({ ...options, reduction: 'none' as const, backend } as LossOptions<'none'>)
}

/** Class indices as integers, where a class's label is no number of its own. */
export function familyTargets({ loss, targets }: FamilyCase): Int32Array | readonly number[] {
  return loss === 'SoftmaxFocalLoss' || loss === 'AsymmetricSoftmaxLoss' ? Int32Array.from(targets) : targets
}

export function familyPowers({ options }: FamilyCase): number[] {
  return [options.gamma ?? 0, options.beta ?? 0, options.gammaPositive ?? 0, options.gammaNegative ?? 0].flat()
}
