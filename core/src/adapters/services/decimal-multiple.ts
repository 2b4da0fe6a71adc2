import { spendSteps } from './schema-steps.js'

/** Some 2 µs: two decimals of a few digits each. */
const STEPS_OF_DECIMALS = 20
/** Digits by which one of them must be made longer. */
const DIGITS_PER_STEP = 4

/**
 * Whether numbers are multiples of another, both taken for the decimals that they are written as: 19.99
 * is a multiple of 0.01, although no binary fraction is either of them.
 */
export function multiplesOf(divisor: number): (value: number) => boolean {
  const b = decimalOf(divisor)
  return (value) => {
    if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0
    const a = decimalOf(value)
    const exponent = Math.min(a.exponent, b.exponent)
    spendSteps(STEPS_OF_DECIMALS + Math.abs(a.exponent - b.exponent) / DIGITS_PER_STEP)
    return scaled(a, exponent) % scaled(b, exponent) === 0n
  }
}

interface Decimal {
  readonly digits: bigint
  readonly exponent: number
}

/** The shortest decimal that means this number. */
function decimalOf(value: number): Decimal {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length }
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to)
}
