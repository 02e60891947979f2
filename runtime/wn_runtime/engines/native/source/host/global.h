/* Conditions that are constant over an utterance: the sum of the tables' rows of what is chosen, as
 * conditioning/global_conditions.py adds them up. */
#if COND_VALUES
static const unsigned char condition_part[] = COND_EACH_PART;

/* One bit a value, of all conditions. */
static int is_chosen(const uint32_t *chosen, int32_t value) {
    return chosen[value / 32] >> value % 32 & 1;
}

static void choose_value(uint32_t *chosen, int32_t value, int yes) {
    const uint32_t bit = (uint32_t)1 << value % 32;
    chosen[value / 32] = (chosen[value / 32] & ~bit) | (yes ? bit : 0);
}

static void global_row(const conditioning *c, const uint32_t *chosen, int part, float *row) {
    memset(row, 0, sizeof(float) * BIAS_ROW);
    for (int32_t condition = 0; condition < COND_COUNT; condition++) {
        const int32_t first = first_value(condition);
        if (condition_part[condition] != part) continue;
        for (int column = 0; column < BIAS_ROW; column++) {
            float sum = 0; /* of this condition alone, first: floats are added in Python's order */
            for (int32_t value = first; value < first + condition_values[condition]; value++)
                if (is_chosen(chosen, value)) sum += c->global[value][column];
            row[column] += sum;
        }
    }
}
#endif
