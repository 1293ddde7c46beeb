/* The front end in integers alone: 16-bit samples, 32-bit spectrum with one exponent a frame, 64-bit sums.

   No instruction of it needs a floating-point unit: the floats it puts out are put together bit by bit. Right shifts of
   negative numbers keep the sign, as with every compiler for microcontrollers. */
#include "earproof_front_end.h"

#include <string.h>

#define Q30 30             /* bits behind the point of window and cosines */
#define SAMPLE_BITS 15     /* full scale of a sample is 2^15 */
#define FRAME_BITS 29      /* largest bits of the spectrum before a step, which adds at most a factor of 2.42 */
#define ENERGY_BITS 34     /* of a bin before it is weighed with 20 bits and summed: 1024 bins of full weight fit */
#define LOG_BITS 24        /* behind the point of a logarithm */
#define LN_2_Q32 2977044472u
#define LOG10_2_Q32 1292913986u

/* A number that is not negative: mantissa * 2^exponent; the mantissa has its highest bit set, or is 0. */
typedef struct {
    uint32_t mantissa;
    int32_t exponent;
} number;

static int32_t bit_length(uint64_t value)
{
    int32_t bits = 0;
    for (int32_t step = 32; step > 0; step /= 2) {
        if (value >> step) {
            value >>= step;
            bits += step;
        }
    }
    return bits + (value != 0);
}

static number as_number(uint64_t value, int32_t exponent)
{
    number result = {0, 0};
    const int32_t bits = bit_length(value);
    if (bits == 0) {
        return result;
    }
    if (bits > 32) {
        value = (value >> (bits - 33)) + 1; /* 33 bits, to be halved with rounding */
        result.exponent = exponent + bits - 32;
        result.mantissa = value >> 33 ? 0xFFFFFFFFu : (uint32_t)(value >> 1);
    } else {
        result.exponent = exponent - (32 - bits);
        result.mantissa = (uint32_t)(value << (32 - bits));
    }
    return result;
}

/* The nearest float, 0 below the smallest normal one. */
static float as_float(number value, int is_negative)
{
    uint32_t bits = value.mantissa >> 8; /* 24 bits */
    int32_t exponent = value.exponent + 8 + 23;
    float result;
    bits += (value.mantissa >> 7) & 1u;
    if (bits >> 24) {
        bits >>= 1;
        ++exponent;
    }
    if (value.mantissa == 0 || exponent < -126) {
        return 0.0f;
    }
    bits = (bits & 0x7FFFFFu) | ((uint32_t)(exponent + 127) << 23) | (is_negative ? 0x80000000u : 0u);
    memcpy(&result, &bits, sizeof result);
    return result;
}

static int is_less(number a, number b)
{
    if (a.mantissa == 0 || b.mantissa == 0) {
        return a.mantissa < b.mantissa;
    }
    return a.exponent != b.exponent ? a.exponent < b.exponent : a.mantissa < b.mantissa;
}

static number sum_of(number a, number b)
{
    if (is_less(a, b)) {
        const number c = a;
        a = b;
        b = c;
    }
    const int32_t apart = a.exponent - b.exponent;
    if (b.mantissa == 0 || apart > 32) {
        return a;
    }
    return as_number(((uint64_t)a.mantissa << 31) + (((uint64_t)b.mantissa << 31) >> apart), a.exponent - 31);
}

/* log2 with LOG_BITS behind the point: each squaring of a mantissa from 1 to 2 gives one bit. */
static int64_t log2_of(number value)
{
    uint64_t mantissa = value.mantissa; /* 1 is 2^31 */
    int64_t result = value.exponent + 31;
    for (int32_t bit = 0; bit < LOG_BITS; ++bit) {
        mantissa = (mantissa * mantissa) >> 31;
        const int32_t carry = (int32_t)(mantissa >> 32);
        mantissa >>= carry;
        result = 2 * result + carry;
    }
    return result;
}

static float log_of(number value, uint32_t factor_q32)
{
    int64_t log2 = log2_of(value);
    const int is_negative = log2 < 0;
    const uint64_t product = (uint64_t)(is_negative ? -log2 : log2) * factor_q32;
    return as_float(as_number(product, -32 - LOG_BITS), is_negative);
}

static float compressed(const ep_front_end *fe, number value)
{
    const number floor = as_number(fe->floor_mantissa, fe->floor_exponent);
    if (fe->log == EP_LOG10) {
        return log_of(is_less(value, floor) ? floor : value, LOG10_2_Q32);
    }
    return fe->log == EP_LN_PLUS ? log_of(sum_of(value, floor), LN_2_Q32) : as_float(value, 0);
}

static uint32_t root_of(uint64_t value)
{
    uint64_t root = 0, bit = (uint64_t)1 << 62;
    while (bit > value) {
        bit >>= 2;
    }
    while (bit) {
        if (value >= root + bit) {
            value -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    return (uint32_t)(root + (value > root)); /* rounded */
}

static int32_t times_q30(int32_t value, int32_t factor)
{
    return (int32_t)(((int64_t)value * factor + (1 << (Q30 - 1))) >> Q30);
}

static int32_t sample_at(const ep_front_end *fe, const ep_samples *samples, int32_t place)
{
    return ep_place(fe, &place) ? samples->int16[place - samples->first] : 0;
}

/* Bits by which the samples of a frame can be shifted up. */
static int32_t headroom(const ep_front_end *fe, const ep_samples *samples, int32_t start)
{
    const int32_t left = (fe->n_fft - fe->win_length) / 2;
    uint32_t all = 0;
    for (int32_t place = 0; place < fe->win_length; ++place) {
        const int32_t sample = sample_at(fe, samples, start + left + place);
        all |= (uint32_t)(sample < 0 ? -sample : sample);
    }
    return SAMPLE_BITS - bit_length(all); /* -1 where a sample is -32768 */
}

/* As load_frame for floating point; returns the exponent of the values. */
static int32_t load_frame(const ep_front_end *fe, const ep_samples *samples, int32_t start, ep_work *work)
{
    const int32_t half = fe->n_fft / 2, left = (fe->n_fft - fe->win_length) / 2;
    const int32_t up = headroom(fe, samples, start), shift = Q30 + SAMPLE_BITS - FRAME_BITS - up;
    int32_t reversed = 0;
    for (int32_t pair = 0; pair < half; ++pair) {
        for (int32_t side = 0; side < 2; ++side) {
            const int32_t place = 2 * pair + side - left;
            int64_t value = 0;
            if (place >= 0 && place < fe->win_length) {
                const int32_t mirrored = place <= fe->win_length - place ? place : fe->win_length - place;
                value = (int64_t)fe->hann_q30[mirrored] * sample_at(fe, samples, start + left + place);
                value = (value + ((int64_t)1 << (shift - 1))) >> shift; /* at least 1: samples have 15 bits */
            }
            work[reversed].integer[side] = (int32_t)value;
        }
        int32_t bit = half / 2;
        while (bit > 0 && (reversed & bit)) {
            reversed ^= bit;
            bit /= 2;
        }
        reversed |= bit;
    }
    return -FRAME_BITS - up;
}

static void turn(const ep_front_end *fe, int32_t k, int32_t *re, int32_t *im)
{
    const int32_t quarter = fe->n_fft / 4;
    *re = fe->cosines_q30[k];
    *im = -fe->cosines_q30[k < quarter ? quarter - k : k - quarter];
}

/* Make room for the next step; returns the bits by which all values were shifted down. */
static int32_t make_room(ep_work *work, int32_t count)
{
    uint32_t all = 0;
    for (int32_t i = 0; i < count; ++i) {
        for (int32_t side = 0; side < 2; ++side) {
            const int32_t value = work[i].integer[side];
            all |= (uint32_t)(value < 0 ? -value : value);
        }
    }
    const int32_t shift = bit_length(all) - FRAME_BITS;
    if (shift <= 0) {
        return 0;
    }
    for (int32_t i = 0; i < count; ++i) {
        for (int32_t side = 0; side < 2; ++side) {
            work[i].integer[side] = (work[i].integer[side] + (1 << (shift - 1))) >> shift;
        }
    }
    return shift;
}

static int32_t transform(const ep_front_end *fe, ep_work *work)
{
    const int32_t half = fe->n_fft / 2;
    int32_t shifted = 0;
    for (int32_t length = 1; length < half; length *= 2) {
        shifted += make_room(work, half);
        for (int32_t k = 0; k < length; ++k) {
            int32_t re, im;
            turn(fe, k * (half / length), &re, &im);
            for (int32_t i = k; i < half; i += 2 * length) {
                int32_t *a = work[i].integer, *b = work[i + length].integer;
                const int32_t x = times_q30(b[0], re) - times_q30(b[1], im);
                const int32_t y = times_q30(b[0], im) + times_q30(b[1], re);
                b[0] = a[0] - x;
                b[1] = a[1] - y;
                a[0] += x;
                a[1] += y;
            }
        }
    }
    return shifted + make_room(work, half);
}

/* As for floating point; what comes in has FRAME_BITS, so nothing overflows. */
static void unpair(const ep_front_end *fe, ep_work *work)
{
    const int32_t half = fe->n_fft / 2;
    const int32_t re = work[0].integer[0], im = work[0].integer[1];
    work[0].integer[0] = re + im;
    work[0].integer[1] = 0;
    work[half].integer[0] = re - im;
    work[half].integer[1] = 0;
    for (int32_t k = 1; k <= half / 2; ++k) {
        int32_t *a = work[k].integer, *b = work[half - k].integer;
        const int32_t even_re = (a[0] + b[0]) / 2, even_im = (a[1] - b[1]) / 2;
        const int32_t odd_re = (a[1] + b[1]) / 2, odd_im = (b[0] - a[0]) / 2;
        int32_t c, s;
        turn(fe, k, &c, &s);
        const int32_t x = times_q30(odd_re, c) - times_q30(odd_im, s);
        const int32_t y = times_q30(odd_re, s) + times_q30(odd_im, c);
        b[0] = even_re - x;
        b[1] = y - even_im;
        a[0] = even_re + x; /* last: at k = half / 2 both are one bin */
        a[1] = even_im + y;
    }
}

/* Bins to their energy, or its root, in place; returns the exponent of the new values, given that of the old. */
static int32_t measure(const ep_front_end *fe, ep_work *work, int32_t exponent)
{
    const int32_t bins = fe->n_fft / 2 + 1;
    for (int32_t bin = 0; bin < bins; ++bin) {
        const int64_t re = work[bin].integer[0], im = work[bin].integer[1];
        const uint64_t energy = (uint64_t)(re * re) + (uint64_t)(im * im);
        work[bin].energy = fe->power == 1 ? root_of(energy) : energy;
    }
    return fe->power * exponent;
}

/* Shift down so far that weighed sums fit. */
static int32_t shift_energies(ep_work *work, int32_t bins)
{
    uint64_t all = 0;
    for (int32_t bin = 0; bin < bins; ++bin) {
        all |= work[bin].energy;
    }
    const int32_t shift = bit_length(all) - ENERGY_BITS;
    for (int32_t bin = 0; shift > 0 && bin < bins; ++bin) {
        work[bin].energy = (work[bin].energy + ((uint64_t)1 << (shift - 1))) >> shift;
    }
    return shift > 0 ? shift : 0;
}

void ep_fixed_column(const ep_front_end *fe, const ep_samples *samples, int32_t start, ep_work *work, float *out,
                     int32_t stride)
{
    int32_t exponent = load_frame(fe, samples, start, work);
    exponent += transform(fe, work);
    unpair(fe, work);
    exponent = measure(fe, work, exponent);
    if (!fe->band_first) {
        for (int32_t bin = 0; bin < fe->n_bands; ++bin) {
            out[(ptrdiff_t)bin * stride] = as_float(as_number(work[bin].energy, exponent), 0);
        }
        return;
    }
    exponent += shift_energies(work, fe->n_fft / 2 + 1);
    const uint32_t *weight = fe->weights_scaled;
    for (int32_t band = 0; band < fe->n_bands; ++band) {
        const ep_work *heard = work + fe->band_first[band];
        uint64_t sum = 0;
        for (int32_t i = 0; i < fe->band_bins[band]; ++i) {
            sum += heard[i].energy * *weight++;
        }
        out[(ptrdiff_t)band * stride] = compressed(fe, as_number(sum, exponent - fe->weight_shift[band]));
    }
}
