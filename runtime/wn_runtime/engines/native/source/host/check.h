/* Whether a file is a packed model of this library's. Nothing past `bytes` is read, whatever it says.
 */
static int section_is(file_section section, uint64_t at, uint64_t bytes) {
    return section.at == at && section.bytes == bytes;
}

static int same_bytes(const unsigned char *one, const unsigned char *other, int count) {
    for (int i = 0; i < count; i++)
        if (one[i] != other[i]) return 0;
    return 1;
}

static int32_t check_header(const wavestep_model *file, uint64_t bytes) {
    if (bytes < sizeof file_magic || !same_bytes(file->magic, file_magic, sizeof file_magic))
        return WAVESTEP_NOT_A_MODEL;
    if (bytes < FILE_HEADER) return WAVESTEP_TRUNCATED;
    if (file->format != FILE_FORMAT) return WAVESTEP_OTHER_FORMAT;
    if (bytes < file->bytes) return WAVESTEP_TRUNCATED;
    if (bytes > file->bytes) return WAVESTEP_DAMAGED;
    return WAVESTEP_OK;
}

static int32_t check_file(const wavestep_model *file, uint64_t bytes) {
    const int32_t status = check_header(file, bytes);
    if (status) return status;
    if (crc32((const unsigned char *)file + 16, (size_t)bytes - 16) != file->crc)
        return WAVESTEP_DAMAGED;
    if (file->precision != file_layout.precision) return WAVESTEP_OTHER_MODEL;
    if (!same_bytes(file->digest, file_layout.digest, 32)) return WAVESTEP_OTHER_MODEL;
    if (file->tile != file_layout.tile || file->group != file_layout.group ||
        file->apart != file_layout.apart)
        return WAVESTEP_OTHER_LAYOUT;
    if (!section_is(file->weights, WEIGHTS_AT, sizeof(model)) ||
        !section_is(file->conditioning, CONDITIONING_AT, CONDITIONING_BYTES) ||
        !section_is(file->decoding, DECODING_AT, sizeof(float) * DECODED) || bytes < TEXT_AT ||
        !section_is(file->text, TEXT_AT, bytes - TEXT_AT) || !check_text(file))
        return WAVESTEP_DAMAGED;
    if (file->sample_rate < 1 || file->sample_rate > 1000000 || !(file->temperature >= 0) ||
        !(file->temperature <= 100) || !(file->deemphasis >= 0) || !(file->deemphasis < 1) ||
        !(file->gain >= 0.001) || !(file->gain <= 1000))
        return WAVESTEP_DAMAGED;
    return WAVESTEP_OK;
}
