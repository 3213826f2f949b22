-- base: facets and columns of standings are checked

@model/88_check crm.check
