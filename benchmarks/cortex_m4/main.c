/* Error of the check and instructions of one column, in floating point and in integers, on an emulated Cortex-M4.

   The timer counts at 25 MHz, and with -icount shift=6 an instruction takes 64 ns: 1.6 counts. */
#include <stdio.h>

#include "m_check.h"
#include "m_front_end.h"
#include "m_model.h"

#define TIMER_CONTROL (*(volatile uint32_t *)0xE000E010)
#define TIMER_RELOAD (*(volatile uint32_t *)0xE000E014)
#define TIMER_VALUE (*(volatile uint32_t *)0xE000E018)
#define TIMER_MASK 0xFFFFFFu

static int16_t samples[M_WINDOW_LENGTH];
static float input[M_INPUT_FLOATS];
static ep_work work[M_WORK];

static void report(const char *name, const ep_front_end *front_end)
{
    const ep_samples all = {samples, NULL, 0};
    ep_window(front_end, samples, work, input);
    const double error = (double)m_check_error(input);
    TIMER_RELOAD = TIMER_MASK;
    TIMER_VALUE = 0;
    TIMER_CONTROL = 5;
    const uint32_t begin = TIMER_VALUE;
    front_end->column(front_end, &all, front_end->n_fft, work, input, 1);
    const uint32_t counts = (begin - TIMER_VALUE) & TIMER_MASK;
    printf("%s %.1e %lu\n", name, error, (unsigned long)(counts * 5u / 8u));
}

int main(void)
{
    m_check_signal(samples);
    report("float", &m_front_end);
    report("fixed", &m_front_end_fixed);
    return 0;
}
