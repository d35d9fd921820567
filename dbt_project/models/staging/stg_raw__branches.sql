with

branches as (

    select * from {{ source('raw', 'branches') }}

),

branch_ids as (

    select * from {{ source('raw', 'branch_ids') }}

),

final as (

    select
        branches.company_id,
        branches.branch_id,
        branch_ids.branch_key,
        branches.valid_from,
        branches.received_at,
        branches.name,
        branches.city,
        branches.region
    from branches
    inner join branch_ids
        on
            branches.company_id = branch_ids.company_id
            and branches.branch_id = branch_ids.branch_id

)

select * from final
