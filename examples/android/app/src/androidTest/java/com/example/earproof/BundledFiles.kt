package com.example.earproof

/** Where the golden files of one model file lie in a bundle: models that were given the same sound share a stream. */
class BundledFiles(manifest: String, modelFile: String) {
    private val entry = MODEL.findAll(manifest).map { it.value }.find { "\"file\": \"$modelFile\"" in it }
        ?: throw IllegalArgumentException("the bundle holds nothing for $modelFile; bundle it with --file $modelFile")

    val stream = path("stream")
    val expected = path("expected")

    /** Only there where the app computes a spectrogram. */
    val spectrograms by lazy { path("spectrograms") }

    private fun path(field: String): String =
        Regex("\"$field\": \"([^\"]*)\"").find(entry)?.groupValues?.get(1)
            ?: throw IllegalArgumentException("the bundle's manifest names no $field in $entry")

    private companion object {
        val MODEL = Regex("\\{[^{}]*\"expected\": [^{}]*\\}")
    }
}
