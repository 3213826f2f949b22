-- recycle: a sweep locks customers before their holdings

@model/40_recycle crm._recycle
