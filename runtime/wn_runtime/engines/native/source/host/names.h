/* The file's text: strings that each end with a zero. The model's name; then of each condition its
 * name and those of its values. */
static const int32_t condition_values[] = COND_EACH_VALUES; /* how many */
static const unsigned char condition_tags[] = COND_EACH_TAGS;

/* String `index` of the text. */
static const char *text_string(const wavestep_model *file, int32_t index) {
    const char *text = file_text(file);
    for (; index; index--) {
        while (*text) text++;
        text++;
    }
    return text;
}

/* Whether there are as many strings as the model has names, and nothing after the last. */
static int check_text(const wavestep_model *file) {
    const char *text = file_text(file);
    const uint64_t bytes = file->text.bytes;
    uint64_t strings = 0;
    for (uint64_t i = 0; i < bytes; i++) strings += !text[i];
    return strings == 1 + COND_COUNT + COND_VALUES && bytes && !text[bytes - 1];
}

/* Of all values, the first that is this condition's. */
static int32_t first_value(int32_t condition) {
    int32_t first = 0;
    for (int32_t i = 0; i < condition; i++) first += condition_values[i];
    return first;
}

static int condition_exists(int32_t condition) { return condition >= 0 && condition < COND_COUNT; }

static const char *condition_string(const wavestep_model *file, int32_t condition) {
    return text_string(file, 1 + condition + first_value(condition));
}

static int same_text(const char *one, const char *other) {
    while (*one && *one == *other) one++, other++;
    return *one == *other;
}

/* The index of `name` among `count` strings from `text` on; -1: it is none of them. */
static int32_t find_text(const char *text, int32_t count, const char *name) {
    for (int32_t i = 0; i < count; i++) {
        if (same_text(text, name)) return i;
        while (*text) text++;
        text++;
    }
    return -1;
}

const char *wavestep_name(const wavestep_model *file) { return file_text(file); }

int32_t wavestep_conditions(const wavestep_model *file) {
    (void)file;
    return COND_COUNT;
}

const char *wavestep_condition_name(const wavestep_model *file, int32_t condition) {
    return condition_exists(condition) ? condition_string(file, condition) : 0;
}

int32_t wavestep_condition_is_tags(const wavestep_model *file, int32_t condition) {
    (void)file;
    return condition_exists(condition) ? condition_tags[condition] : WAVESTEP_NO_SUCH_CONDITION;
}

int32_t wavestep_values(const wavestep_model *file, int32_t condition) {
    (void)file;
    return condition_exists(condition) ? condition_values[condition] : WAVESTEP_NO_SUCH_CONDITION;
}

const char *wavestep_value_name(const wavestep_model *file, int32_t condition, int32_t value) {
    if (!condition_exists(condition) || value < 0 || value >= condition_values[condition]) return 0;
    return text_string(file, 1 + condition + first_value(condition) + 1 + value);
}

int32_t wavestep_condition(const wavestep_model *file, const char *name) {
    for (int32_t i = 0; i < COND_COUNT; i++)
        if (same_text(condition_string(file, i), name)) return i;
    return WAVESTEP_NO_SUCH_CONDITION;
}

int32_t wavestep_value(const wavestep_model *file, int32_t condition, const char *name) {
    if (!condition_exists(condition)) return WAVESTEP_NO_SUCH_CONDITION;
    const char *first = text_string(file, 1 + condition + first_value(condition) + 1);
    const int32_t value = find_text(first, condition_values[condition], name);
    return value < 0 ? WAVESTEP_NO_SUCH_VALUE : value;
}
