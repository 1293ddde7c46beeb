/* The generated front end of a model named "m" on a host: int16 samples from stdin, columns to stdout as floats.

   main float|fixed window | main float floats | main float|fixed stream CHUNK HOP | main float|fixed check
   The stream writes one input for each window; its samples are fed CHUNK at a time, windows begin HOP samples apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "m_check.h"
#include "m_front_end.h"
#include "m_model.h"

#define MAX_SAMPLES (M_WINDOW_LENGTH * 4)

static int16_t samples[MAX_SAMPLES];
static float floats[M_WINDOW_LENGTH];
static ep_work work[M_WORK];
static float input[M_INPUT_FLOATS];

static int put(void)
{
    return fwrite(input, sizeof input, 1, stdout) == 1 ? 0 : 1;
}

static int run_stream(const ep_front_end *front_end, int32_t count, int32_t chunk, int32_t hop)
{
    ep_stream stream;
    const int32_t needed = ep_stream_floats(front_end, hop);
    int16_t *recent = malloc(EP_RECENT((size_t)front_end->n_fft, (size_t)front_end->hop_length) * sizeof(int16_t));
    float *memory = malloc((needed > 0 ? (size_t)needed : 1) * sizeof(float)); /* to the byte, for the sanitizer */
    int result = ep_stream_begin(&stream, front_end, hop, recent, work, memory, needed);
    for (int32_t done = 0; result == 0 && done < count;) {
        const int32_t left = count - done;
        done += ep_stream_feed(&stream, samples + done, chunk < left ? chunk : left);
        if (ep_stream_window(&stream, input)) {
            result = put();
        }
    }
    free(recent);
    free(memory);
    return result ? 3 : 0;
}

int main(int argc, char **argv)
{
    const ep_front_end *front_end = argc > 1 && strcmp(argv[1], "fixed") == 0 ? &m_front_end_fixed : &m_front_end;
    const char *mode = argc > 2 ? argv[2] : "";
    const int32_t count = (int32_t)fread(samples, sizeof samples[0], MAX_SAMPLES, stdin);
    if (strcmp(mode, "check") == 0) {
        m_check_signal(samples);
        ep_window(front_end, samples, work, input);
        printf("%.9g\n", (double)m_check_error(input));
        return 0;
    }
    if (strcmp(mode, "stream") == 0) {
        return run_stream(front_end, count, atoi(argv[3]), atoi(argv[4]));
    }
    if (strcmp(mode, "floats") == 0) {
        for (int32_t i = 0; i < M_WINDOW_LENGTH; ++i) {
            floats[i] = (float)samples[i] / 32768.0f;
        }
        ep_window_float(front_end, floats, work, input);
        return put();
    }
    ep_window(front_end, samples, work, input);
    return put();
}
